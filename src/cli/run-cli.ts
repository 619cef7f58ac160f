import { CommanderError } from "commander";
import { AppError } from "../base/errors.ts";
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
    const { color, json = false } = program.opts<GlobalOptions>();
    if (!(thrown instanceof CommanderError)) return reportFailure(thrown, around, { color, json });
    // It has shown the help or the version that the words ask for, or the help for want of a command.
    if (thrown.exitCode === 0) return 0;
    if (thrown.code === "commander.help") return 2;
    return reportFailure(new AppError("invalid", thrown.message.replace(/^error: /, "")), around, { color, json });
  }
}
