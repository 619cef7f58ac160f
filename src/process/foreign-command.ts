import { once } from "node:events";
import { type CommandOptions, exitCodeOf, start, Stopping } from "./command.ts";
import { HeadAndTail } from "./head-and-tail.ts";

export interface ForeignResult {
  /** As of a CommandResult; null: it did not end within `timeoutMs` and was ended. */
  readonly exitCode: number | null;
  /** What it wrote to stdout and stderr, about in the order it wrote it; of more than `maxOutputBytes` the head and the tail, with a note between. */
  readonly output: string;
}

/**
 * Runs a command that somebody else thought of, to its end or for `timeoutMs`. Never through a shell, with an empty stdin.
 * Nothing of its process group is left, however it ends. Throws the signal's reason; `unavailable` when the program or the
 * folder is missing; `invalid` when its arguments are too long.
 */
export async function runForeignCommand(
  argv: readonly [string, ...string[]],
  options: Omit<CommandOptions, "input">,
): Promise<ForeignResult> {
  options.signal.throwIfAborted();
  const child = await start(argv, options);
  const stopping = new Stopping(child, options);
  stopping.leaveNothing();
  const output = new HeadAndTail(options.maxOutputBytes);
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => output.push(chunk));
  // It may end before its stdin is closed.
  child.stdin.on("error", () => {});
  child.stdin.end();
  const [code, killedBy] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  const stoppedFor = stopping.end();
  if (stoppedFor === "aborted") throw options.signal.reason;
  return { exitCode: stoppedFor === "timed_out" ? null : exitCodeOf(code, killedBy), output: output.text() };
}
