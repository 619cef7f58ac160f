import { join } from "node:path";
import type { HeldCommand } from "../../src/process/host.ts";
import { noLimits } from "../../src/process/limits.ts";

export const PROGRAMS = join(import.meta.dirname, "../programs");
export const PATH = "/usr/local/bin:/usr/bin:/bin";

/** A program of test/programs as a command, in a folder named like its marker. */
export function commandIn(folder: string, marker: string, program: string, ...args: string[]): HeldCommand {
  const interpreter = program.endsWith(".ts") ? process.execPath : "/bin/sh";
  const argv = [interpreter, join(PROGRAMS, program), ...args] as const;
  return { directory: join(folder, marker), argv, cwd: folder, env: { PATH }, files: {}, stdin: "", marker, limits: noLimits };
}
