import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { CancelTimer, Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";

/** Sourced by the script of each held command. */
export const IDENTIFY_SCRIPT = fileURLToPath(new URL("identify.sh", import.meta.url));
const SPAWNER_SCRIPT = fileURLToPath(new URL("spawner.sh", import.meta.url));

/** What was asked for takes milliseconds; no answer by then means that a holder was killed before it could give one. */
const ANSWER_WITHIN_MS = 15_000;

/** started: with its identity as JSON. pid: its own. done: carried out. failed: not carried out, or nobody said. */
interface SpawnerAnswer {
  readonly word: "started" | "pid" | "done" | "failed";
  readonly rest: string;
}

interface Request {
  readonly line: string;
  readonly answer: PromiseWithResolvers<SpawnerAnswer>;
  readonly cancelTimer: CancelTimer;
  /** Sent to this many spawners. */
  sent: number;
}

/**
 * The process that starts holders (spawner.sh): a fork blocks a process for as long as its memory is big (40 ms at 1 GB),
 * so the daemon forks once and this small one for every agent. Started at the first request, and again when it died;
 * what it had not answered is then asked again, which is safe, since only one holder can claim a folder.
 */
export class Spawner {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #open = new Map<number, Request>();
  #child: ChildProcess | undefined;
  /** What it is run by. */
  #prefix: readonly string[] = [];
  #lastNumber = 0;
  #isClosed = false;

  /** `path`: the PATH on which sh finds setsid (or perl), mkfifo, ln, mv, cat, rm and fallocate. */
  constructor(path: string, clock: Clock, log: Log) {
    this.#path = path;
    this.#clock = clock;
    this.#log = log;
  }

  /** Starts the holder of a folder. `failed` is no proof that its command does not run: ask the folder. */
  start(directory: string): Promise<SpawnerAnswer> {
    return this.#request("start", directory);
  }

  /** Gives the first `bytes` of a file back to the disk, where the system can do that. */
  free(path: string, bytes: number): Promise<SpawnerAnswer> {
    return this.#request("free", `${bytes} ${path}`);
  }

  /**
   * Goes on in a process that `prefix` runs: it must become the command behind it in the end. Returns the pid of that process;
   * undefined: the prefix does not work here, and nothing has changed.
   */
  async enter(prefix: readonly string[]): Promise<number | undefined> {
    this.#moveTo(prefix);
    try {
      const { word, rest } = await this.#request("pid", "");
      if (word === "pid") return Number(rest);
    } catch (failure) {
      if (this.#isClosed) throw failure;
    }
    this.#moveTo([]);
    return undefined;
  }

  /** The next request starts another process; the one before ends once it has done what it was asked. */
  #moveTo(prefix: readonly string[]): void {
    this.#prefix = prefix;
    this.#child?.stdin?.end();
    this.#child = undefined;
  }

  /** Ends the spawner. Holders and their commands live on. Safe to repeat. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const child = this.#child;
    if (child === undefined) return;
    const exited = once(child, "exit");
    child.stdin?.end();
    await exited;
    this.#refuseAll(closed());
  }

  async #request(verb: string, rest: string): Promise<SpawnerAnswer> {
    if (this.#isClosed) throw closed();
    if (rest.includes("\n")) throw new AppError("invalid", `A path with a line break cannot be used: ${JSON.stringify(rest)}.`);
    const number = (this.#lastNumber += 1);
    const request: Request = {
      line: `${verb} ${number} ${rest}\n`,
      answer: Promise.withResolvers(),
      cancelTimer: this.#clock.setTimer(ANSWER_WITHIN_MS, () => this.#answer(number, { word: "failed", rest: "" })),
      sent: 0,
    };
    this.#open.set(number, request);
    this.#send(request);
    return request.answer.promise;
  }

  #send(request: Request): void {
    request.sent += 1;
    this.#child ??= this.#spawn();
    this.#child.stdin?.write(request.line);
  }

  #spawn(): ChildProcess {
    // By env, since Node may add variables of its own to those it is told to give (NODE_V8_COVERAGE).
    const child = spawn("/usr/bin/env", [...this.#prefix, "/usr/bin/env", "-i", `PATH=${this.#path}`, "/bin/sh", SPAWNER_SCRIPT], {
      cwd: "/",
      // A session of its own: Ctrl-C in the daemon's terminal is not for it.
      detached: true,
      stdio: ["pipe", "pipe", "ignore"],
    });
    child.once("error", (cause) => this.#refuseAll(new AppError("unavailable", "Cannot run /bin/sh to start agents.", { cause })));
    child.once("exit", (code, signal) => this.#onExit(child, code, signal));
    // EPIPE: it died; `exit` follows and sees to the requests.
    child.stdin?.on("error", () => {});
    if (child.stdout) createInterface({ input: child.stdout }).on("line", (line) => this.#onLine(line));
    return child;
  }

  #onLine(line: string): void {
    const [number, word, ...rest] = line.split(" ");
    this.#answer(Number(number), { word: word as SpawnerAnswer["word"], rest: rest.join(" ") });
  }

  #answer(number: number, answer: SpawnerAnswer): void {
    const request = this.#open.get(number);
    if (request === undefined) return; // answered before: of two holders that were asked for, the second one
    this.#open.delete(number);
    request.cancelTimer();
    request.answer.resolve(answer);
  }

  #onExit(child: ChildProcess, code: number | null, signal: string | null): void {
    if (this.#child === child) this.#child = undefined;
    if (this.#isClosed || code === 0) return;
    this.#log.warn("The spawner died; starting another.", { code, signal, unanswered: this.#open.size });
    for (const [number, request] of this.#open) {
      if (request.sent < 2) this.#send(request);
      else this.#answer(number, { word: "failed", rest: "" });
    }
  }

  #refuseAll(reason: AppError): void {
    this.#child = undefined;
    for (const request of this.#open.values()) {
      request.cancelTimer();
      request.answer.reject(reason);
    }
    this.#open.clear();
  }
}

function closed(): AppError {
  return new AppError("unavailable", "Agents cannot be started any more: the process host is closed.");
}
