import { homedir } from "node:os";
import { CommanderError } from "commander";
import { systemClock, type Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import type { GlobalOptions, Surroundings } from "./cli.ts";
import { reportFailure } from "./failure.ts";
import { createProgram } from "./program.ts";
import { Terminal } from "./terminal.ts";

// The command line: `drover ...`. Only here is the process itself touched: its environment, streams, signals and exit.

const { env, stdin, stdout, stderr } = process;
const interrupted = new AbortController();
// Once: a second Ctrl-C ends a command that does not obey the first.
process.once("SIGINT", () => interrupted.abort(new AppError("cancelled", "Interrupted.")));
// Whoever reads has enough (`drover task list | head`), and that is no failure.
stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

/** As the system's, but a command that waits keeps its process alive. */
const clock: Clock = {
  ...systemClock,
  setTimer(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
const mayColor = env["NO_COLOR"] === undefined || env["NO_COLOR"] === "";
const around: Surroundings = {
  env,
  cwd: process.cwd(),
  homeDirectory: homedir(),
  clock,
  signal: interrupted.signal,
  terminal: ({ color }) =>
    new Terminal({
      out: stdout,
      err: stderr,
      hasColor: color && mayColor && stdout.isTTY && env["TERM"] !== "dumb",
      isInteractive: stdin.isTTY && stderr.isTTY,
      width: stdout.isTTY ? stdout.columns : undefined,
    }),
};

const program = createProgram(around);
try {
  await program.parseAsync();
} catch (thrown) {
  const { color, json = false } = program.opts<GlobalOptions>();
  if (thrown instanceof CommanderError) process.exitCode = thrown.exitCode === 0 ? 0 : 2;
  else process.exitCode = reportFailure(thrown, around, { color, json });
}
