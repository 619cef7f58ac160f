import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import type { CancelTimer, Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import { hasCode } from "./system-error.ts";

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

/** From the SIGTERM of a stopped command to its SIGKILL. */
const GRACE_MS = 2_000;
/** How long the pipes of a command that is over may stay open after all that is known of it has been ended. */
const PIPES_MS = 1_000;

type StopReason = "aborted" | "timed_out" | "too_much";

/**
 * Runs a short command of the daemon's own (git) to its end. Never through a shell. Every exit code is a result, not an error.
 * Throws `timeout`, the signal's reason, `unavailable` when the program or the folder is missing, `invalid` when
 * it prints more than `maxOutputBytes` (a cut answer could be mistaken for a whole one) or its arguments are too long.
 * In each of these cases the command and its whole process group are ended first.
 */
export async function runCommand(argv: readonly [string, ...string[]], options: CommandOptions): Promise<CommandResult> {
  const { cwd, timeoutMs, input = "", maxOutputBytes, signal } = options;
  signal.throwIfAborted();
  const child = await start(argv, options);
  const stopping = new Stopping(child, options);
  const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => collect(stream, maxOutputBytes, () => stopping.begin("too_much")));
  // It may end without having read all of it; what it made of that its exit code tells.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [code, killedBy] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  switch (stopping.end()) {
    case "too_much":
      throw new AppError("invalid", `${named(argv)} printed more than ${maxOutputBytes} bytes and was stopped.`, { cwd, argv });
    case "timed_out":
      throw new AppError(
        "timeout",
        `${named(argv)} did not end within ${timeoutMs / 1000} s and was stopped. Run it by hand in ${cwd} to see why.`,
        { cwd, argv },
      );
    case "aborted":
      throw signal.reason;
    case undefined:
      return { exitCode: exitCodeOf(code, killedBy), stdout: text(stdout), stderr: text(stderr) };
  }
}

export function exitCodeOf(code: number | null, killedBy: NodeJS.Signals | null): number {
  return code ?? 128 + constants.signals[killedBy ?? "SIGKILL"];
}

/** In a process group of its own, so that what it starts can be ended with it. */
export async function start(
  argv: readonly [string, ...string[]],
  { cwd, env }: Pick<CommandOptions, "cwd" | "env">,
): Promise<ChildProcessWithoutNullStreams> {
  const [file, ...args] = argv;
  try {
    const child = spawn(file, args, { cwd, env, detached: true, stdio: "pipe" });
    await once(child, "spawn");
    return child;
  } catch (cause) {
    throw await startFailure(argv, cwd, cause);
  }
}

/** Ends a command before its time, at most once. */
export class Stopping {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #abort = () => this.begin("aborted");
  readonly #cancelTimeout: CancelTimer;
  #cancelKill: CancelTimer = () => {};
  #reason: StopReason | undefined;

  constructor(child: ChildProcessWithoutNullStreams, { clock, signal, timeoutMs }: Pick<CommandOptions, "clock" | "signal" | "timeoutMs">) {
    this.#child = child;
    this.#clock = clock;
    this.#signal = signal;
    this.#cancelTimeout = clock.setTimer(timeoutMs, () => this.begin("timed_out"));
    signal.addEventListener("abort", this.#abort, { once: true });
    child.once("exit", () => this.#endRest());
    // It may have been aborted while the system started the command.
    if (signal.aborted) this.begin("aborted");
  }

  begin(reason: StopReason): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#signalGroup("SIGTERM");
    this.#cancelKill = this.#clock.setTimer(GRACE_MS, () => this.#signalGroup("SIGKILL"));
    this.#endRest();
  }

  /**
   * For a command that is not ours: once it has ended by itself, what it left in its group is ended too, and pipes that
   * what left the group holds open are not waited for.
   */
  leaveNothing(): void {
    this.#child.once("exit", () => {
      if (this.#reason !== undefined) return;
      this.#signalGroup("SIGKILL");
      this.#cancelKill = this.#clock.setTimer(PIPES_MS, () => this.#closePipes());
    });
  }

  /** The command is over. Why it was stopped; undefined: it was not. */
  end(): StopReason | undefined {
    this.#cancelTimeout();
    this.#cancelKill();
    this.#signal.removeEventListener("abort", this.#abort);
    return this.#reason;
  }

  /** Of a stopped command that has ended: what it left in its group, and the pipes, which what left the group could hold open for ever. */
  #endRest(): void {
    const { exitCode, signalCode } = this.#child;
    if (this.#reason === undefined || (exitCode === null && signalCode === null)) return;
    this.#signalGroup("SIGKILL");
    this.#closePipes();
  }

  #closePipes(): void {
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }

  #signalGroup(signal: NodeJS.Signals): void {
    try {
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, signal);
    } catch (failure) {
      // ESRCH: nothing of the group is left. EPERM says the same on macOS while its leader is not reaped.
      if (!hasCode(failure, "ESRCH", "EPERM")) throw failure;
    }
  }
}

function collect(stream: Readable, maxBytes: number, onTooMuch: () => void): Buffer[] {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) onTooMuch();
    else chunks.push(chunk);
  });
  return chunks;
}

async function startFailure(argv: readonly [string, ...string[]], cwd: string, cause: unknown): Promise<AppError> {
  const { code } = cause as NodeJS.ErrnoException;
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

function text(chunks: readonly Buffer[] = []): string {
  return Buffer.concat(chunks).toString("utf8");
}
