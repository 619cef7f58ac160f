import { dirname, join } from "node:path";
import { quote } from "../process/script.ts";

/** Where an agent is to report what its hooks tell. */
export interface HookTarget {
  /** A file in its configuration folder, to which each hook appends its payload. The daemon reads it, at once or when there is one again. */
  readonly spool: string;
  /** The same over HTTP, while a daemon runs: POST with `Authorization: Bearer TOKEN`. */
  readonly url: string;
  readonly token: string;
}

/**
 * Appends its stdin to the spool $1 by one write, so that payloads of hooks that run at the same time stay whole. Needs nothing
 * but sh and dd; takes 3 ms.
 */
const PROGRAM = `#!/bin/sh
# drover-hook SPOOL: takes down what a hook of the agent tells.
exec dd ibs=65536 obs=4194304 2>/dev/null >>"$1"
`;

/** The program that an agent's hooks are to run, and the files that it needs (`Launch.files`). */
export function hookProgram({ spool }: HookTarget): {
  readonly argv: readonly [string, ...string[]];
  readonly files: Readonly<Record<string, string>>;
} {
  const program = join(dirname(spool), "drover-hook");
  return { argv: ["/bin/sh", program, spool], files: { [program]: PROGRAM } };
}

/** The same for an agent that hands its hooks to a shell. */
export function hookCommand(target: HookTarget): string {
  return ["exec", ...hookProgram(target).argv.map(quote)].join(" ");
}
