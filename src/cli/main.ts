import { homedir } from "node:os";
import { systemClock, type Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import type { Surroundings } from "./cli.ts";
import { runCli } from "./run-cli.ts";
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
      // A terminal that does not know its width says 0.
      width: stdout.isTTY && stdout.columns > 0 ? stdout.columns : undefined,
    }),
};

process.exitCode = await runCli(process.argv.slice(2), around);
