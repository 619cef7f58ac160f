import { AppError, messageOf } from "../base/errors.ts";
import { ClientError } from "../client/client-error.ts";
import { noDaemon, type Surroundings } from "./cli.ts";
import { Ended, exitCodeOf } from "./exit-codes.ts";
import { painted, Shown } from "../words/shown.ts";

/** Says in a line or two what went wrong and what to do, and returns the exit status. A stack is for DROVER_DEBUG. */
export function reportFailure(thrown: unknown, around: Surroundings, options: { color: boolean; json: boolean }): number {
  if (thrown instanceof Ended) return thrown.exitCode;
  // Whatever it was that ended then, it ended because the person wanted it.
  if (around.signal.aborted) return exitCodeOf("cancelled");
  const terminal = around.terminal(options);
  const failure = failureOf(thrown);
  if (options.json) terminal.noteJson({ error: failure });
  else terminal.note(Shown.join([painted("red", "drover:"), Shown.lines(failure.message)], " "));
  if (around.env["DROVER_DEBUG"] && thrown instanceof Error) terminal.note(Shown.lines(thrown.stack ?? "", "dim"));
  return exitCodeOf(failure.code);
}

interface Failure {
  readonly code: Parameters<typeof exitCodeOf>[0];
  readonly message: string;
  readonly issues?: ClientError["issues"];
  readonly retryAfterMs?: number;
}

function failureOf(thrown: unknown): Failure {
  if (thrown instanceof AppError && thrown.code !== "internal") return { code: thrown.code, message: thrown.message };
  if (!(thrown instanceof ClientError)) return { code: "internal", message: `${messageOf(thrown)} (DROVER_DEBUG=1 shows where.)` };
  const { code, status, message, issues, retryAfterMs } = thrown;
  if (code === "unavailable" && status === 0) return { code, message: noDaemon };
  if (code === "unauthorized")
    return { code, message: "The running daemon has another token than auth.json. Restart it: drover daemon restart" };
  return {
    code,
    message: retryAfterMs === undefined ? message : `${message} Try again in ${Math.ceil(retryAfterMs / 1000)} s.`,
    ...(issues.length > 0 && { issues }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}
