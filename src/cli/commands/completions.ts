import type { Command } from "commander";
import tab from "@bomb.sh/tab/commander";

/** Prints a shell's completion script, or answers what that script asks: what may follow the words so far. */
export async function complete(program: Command, words: readonly string[]): Promise<void> {
  tab(program, { completionCommandName: "completions" });
  await program.parseAsync(words, { from: "user" });
}
