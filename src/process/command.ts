import type { ChildProcess } from "node:child_process";
import { stat } from "node:fs/promises";
import { constants } from "node:os";
import { execa } from "execa";
import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";

export interface CommandOptions {
  readonly cwd: string;
  /** The whole environment; nothing is inherited. A program without a slash is looked up on its `PATH`. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Written to stdin, which then ends. Without it stdin is empty. */
  readonly input?: string;
  /** For stdout and stderr each. */
  readonly maxOutputBytes: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface CommandResult {
  /** Killed by a signal from elsewhere: 128 + its number, as shells count. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** From the SIGTERM of an aborted command to its SIGKILL. */
const GRACE_MS = 2_000;

/**
 * Runs a short command of the daemon's own (git) to its end. Never through a shell. Every exit code is a result, not an error.
 * Throws `timeout`, the signal's reason, `unavailable` when the program or the folder is missing, `invalid` when
 * it prints more than `maxOutputBytes` (a cut answer could be mistaken for a whole one) or its arguments are too long.
 * In each of these cases the command and its whole process group are ended first.
 */
export async function runCommand(
  argv: readonly [string, ...string[]],
  { cwd, env, timeoutMs, input = "", maxOutputBytes, clock, signal }: CommandOptions,
): Promise<CommandResult> {
  signal.throwIfAborted();
  // Not AbortSignal.any: Node.js keeps one that is listened to for ever, and with it what the listener holds.
  const stop = new AbortController();
  const abort = () => stop.abort();
  signal.addEventListener("abort", abort, { once: true });
  const cancelTimer = clock.setTimer(timeoutMs, abort);
  const [file, ...args] = argv;
  const subprocess = execa(file, args, {
    cwd,
    env,
    extendEnv: false,
    input,
    encoding: "buffer",
    stripFinalNewline: false,
    maxBuffer: maxOutputBytes,
    cancelSignal: stop.signal,
    killDescendants: true,
    forceKillAfterDelay: GRACE_MS,
    reject: false,
  });
  stop.signal.addEventListener("abort", () => closeOutputAfterExit(subprocess.nodeChildProcess), { once: true });
  const result = await subprocess;
  cancelTimer();
  signal.removeEventListener("abort", abort);
  if (result.isCanceled || result.isMaxBuffer) {
    // The command itself has ended; what it left in its group and ignored SIGTERM has not.
    subprocess.kill("SIGKILL");
  }
  if (result.isMaxBuffer) {
    throw new AppError("invalid", `${named(argv)} printed more than ${maxOutputBytes} bytes and was stopped.`, { cwd, argv });
  }
  if (result.isCanceled) {
    signal.throwIfAborted();
    throw new AppError(
      "timeout",
      `${named(argv)} did not end within ${timeoutMs / 1000} s and was stopped. Run it by hand in ${cwd} to see why.`,
      { cwd, argv },
    );
  }
  const exitCode = result.exitCode ?? (result.signal === undefined ? undefined : 128 + constants.signals[result.signal]);
  if (exitCode === undefined) throw await startFailure(argv, cwd, result.code, result.cause);
  return { exitCode, stdout: text(result.stdout), stderr: text(result.stderr) };
}

/** What left the command's group can hold the pipes open for ever, and execa would wait for their end. */
function closeOutputAfterExit(child: ChildProcess): void {
  const close = () => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  };
  if (child.exitCode !== null || child.signalCode !== null) close();
  else child.once("exit", close);
}

async function startFailure(
  argv: readonly [string, ...string[]],
  cwd: string,
  code: string | undefined,
  cause: unknown,
): Promise<AppError> {
  if (code === "E2BIG") return new AppError("invalid", `The arguments of ${named(argv)} are too long for the system.`, { cause, cwd });
  // A missing folder and a missing program both come as ENOENT.
  if (!(await isFolder(cwd)))
    return new AppError("unavailable", `Cannot run ${named(argv)}: there is no folder ${cwd}.`, { cause, cwd, argv });
  const remedy =
    code === "ENOENT"
      ? "it is not installed, or not on the PATH. Install it and try again"
      : `the system refused to start it (${code ?? "no reason given"})`;
  return new AppError("unavailable", `Cannot run ${argv[0]}: ${remedy}.`, { cause, cwd, argv });
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false; // unreadable is as good as missing to the command that was to run there
  }
}

/** The program and its first argument: enough to recognise it, and never a secret. */
function named(argv: readonly string[]): string {
  return argv.slice(0, 2).join(" ");
}

function text(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? "" : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}
