import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import { runCommand } from "../process/command.ts";
import { findProgram } from "./program.ts";

/** What there is to know of an agent's program to find it and to say what to do when it is not there. */
export interface ProgramFacts {
  /** `Claude Code` */
  readonly product: string;
  /** `npm install -g ...` */
  readonly install: string;
  /** `claude update` */
  readonly update: string;
  /** The oldest that passed our tests. */
  readonly oldest: string;
  /** Reads the version, its first group, from what `--version` prints. */
  readonly version: RegExp;
}

/** What a program is looked for and asked with. */
export interface DetectionPlace {
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
}

type Found =
  | { readonly found: true; readonly program: string; readonly version: string }
  | { readonly found: false; readonly message: string };

const VERSION_TIMEOUT_MS = 60_000;

/** Finds an agent's program on PATH and asks for its version. One that is missing, too old or another program is told with what to do. */
export async function detectProgram(
  facts: ProgramFacts,
  command: readonly [string, ...string[]],
  { env, clock }: DetectionPlace,
  signal: AbortSignal,
): Promise<Found> {
  const [name, ...args] = command;
  const program = await findProgram(name, env["PATH"] ?? "");
  if (program === undefined) {
    return {
      found: false,
      message: `There is no program ${name}. Install ${facts.product} (${facts.install}) or set the agent's command.`,
    };
  }
  const asked = [program, ...args, "--version"] as const;
  try {
    const options = { cwd: "/", env, timeoutMs: VERSION_TIMEOUT_MS, maxOutputBytes: 64 * 1024, clock, signal };
    const { stdout, stderr } = await runCommand([...asked], options);
    const version = facts.version.exec(stdout)?.[1];
    if (version === undefined) {
      const said = (stdout || stderr).trim().slice(0, 200);
      return { found: false, message: `\`${asked.join(" ")}\` does not answer as ${facts.product} does: ${said}` };
    }
    if (!isOlder(version, facts.oldest)) return { found: true, program, version };
    return {
      found: false,
      message: `${program} is ${facts.product} ${version}; ${facts.oldest} or newer is needed. Run: ${facts.update}`,
    };
  } catch (thrown) {
    if (signal.aborted || !(thrown instanceof AppError)) throw thrown;
    return { found: false, message: thrown.message };
  }
}

function isOlder(version: string, than: string): boolean {
  return version.localeCompare(than, "en", { numeric: true }) < 0;
}
