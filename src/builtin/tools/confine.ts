import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { compileCacheIn } from "../../base/paths.ts";
import { detectSandbox } from "../../isolation/sandbox-detection.ts";
import { planSandbox, sandboxCommand, type SandboxPlan } from "../../isolation/sandbox-plan.ts";
import { sandboxSpace } from "../../isolation/sandbox-space.ts";
import { hasCode } from "../../process/system-error.ts";
import { programOutside } from "./outside-program.ts";
import type { Confine } from "./tool.ts";

export interface ConfineOptions {
  /** All that commands may write to, besides a temporary folder that goes with each. */
  readonly workspace: string;
  /** Of commands: its home is hidden, what its PATH names is there. */
  readonly env: Readonly<Record<string, string>>;
  /** Drover's, hidden too. */
  readonly home: string;
  /** What else of hidden folders may be read. */
  readonly readable: readonly string[];
  /** Where commands are led to, as `sandbox.allowedHosts` has it. */
  readonly hosts: readonly string[];
  /** A folder outside of the workspace, 0700, for what is told to each sandbox. */
  readonly directory: string;
  readonly clock: Clock;
}

/** The sandbox of this system (bubblewrap, Seatbelt) for commands; null: it has none that works. */
export async function createConfine(options: ConfineOptions, signal: AbortSignal): Promise<Confine | null> {
  const { workspace, env, home, readable, hosts, directory, clock } = options;
  const program = await programOutside(process.platform === "darwin" ? "sandbox-exec" : "bwrap", env["PATH"] ?? "", workspace);
  if (program === undefined || !(await detectSandbox(clock, dirname(program), signal)).available) return null;
  const space = await sandboxSpace({ env, home, readable, writable: [workspace] });
  const compileCache = compileCacheIn(home);
  return async (argv, cwd) => {
    const folder = await mkdtemp(join(directory, "command-"));
    const [planFile, refusals] = [join(folder, "plan.json"), join(folder, "refusals")];
    const planned = planSandbox(argv, await realpath(cwd), space, hosts);
    const [, ...args] = planned.argv;
    const plan: SandboxPlan = { ...planned, argv: [program, ...args], compileCache, refusals };
    await writeFile(planFile, JSON.stringify(plan), { mode: 0o600 });
    return {
      argv: sandboxCommand(planFile),
      // A temporary folder of the person's would not be there.
      env: { NODE_COMPILE_CACHE: compileCache, ...(process.platform === "darwin" ? {} : { TMPDIR: "/tmp" }) },
      refusedAddresses: () => linesOf(refusals),
      [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
    };
  };
}

/**
 * Nothing around a command: for an agent that is in a sandbox or a container itself, where another one is neither possible
 * nor needed, and for one that a person has permitted everything.
 */
export const unconfined: Confine = async (argv) => ({
  argv,
  env: {},
  refusedAddresses: async () => [],
  async [Symbol.asyncDispose]() {},
});

async function linesOf(file: string): Promise<string[]> {
  try {
    return (await readFile(file, "utf8")).split("\n").filter((line) => line !== "");
  } catch (failure) {
    if (hasCode(failure, "ENOENT")) return [];
    throw failure;
  }
}
