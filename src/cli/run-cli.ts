import { CommanderError } from "commander";
import type { GlobalOptions, Surroundings } from "./cli.ts";
import { reportFailure } from "./failure.ts";
import { createProgram } from "./program.ts";

/** Carries out one command line, without the program's name, and returns its exit status. Never rejects. */
export async function runCli(words: readonly string[], around: Surroundings): Promise<number> {
  const program = createProgram(around);
  try {
    await program.parseAsync(words, { from: "user" });
    return 0;
  } catch (thrown) {
    // It has said what was wrong with the words, or shown the help or the version that they ask for.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    const { color, json = false } = program.opts<GlobalOptions>();
    return reportFailure(thrown, around, { color, json });
  }
}
