import { watch, type FSWatcher } from "node:fs";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { hasCode } from "./system-error.ts";

/**
 * How long a wait trusts the system to report changes. It does, but for what leaves no trace in the folder (a holder that
 * was killed) and for file systems and limits of its own (`fs.inotify.max_user_watches`).
 */
const LOOK_AGAIN_MS = 5_000;

/** Tells who waits on a folder that a file of it may have changed. No change is missed between two waits. */
export class Changes {
  readonly #clock: Clock;
  readonly #watcher: FSWatcher | undefined;
  #changed: Set<string> | undefined = new Set();
  #wake: (() => void) | undefined;
  #lookAgainAt: number;

  constructor(directory: string, clock: Clock, log: Log) {
    this.#clock = clock;
    this.#lookAgainAt = clock.elapsed() + LOOK_AGAIN_MS;
    try {
      this.#watcher = watch(directory, (_event, name) => this.#report(name));
      this.#watcher.on("error", () => this.#report(null));
    } catch (failure) {
      // A folder that is not there has nothing to tell.
      if (!hasCode(failure, "ENOENT"))
        log.warn("Cannot watch a folder; looking every few seconds instead.", { directory, error: messageOf(failure) });
    }
  }

  /**
   * The files that changed since the last call; waits for one. Undefined, every few seconds however much changes: look at
   * everything. Rejects with the signal's reason.
   */
  next(signal: AbortSignal): Promise<ReadonlySet<string> | undefined> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      if (this.#clock.elapsed() >= this.#lookAgainAt) this.#changed = undefined;
      if (this.#changed?.size !== 0) return resolve(this.#take());
      const end = () => {
        cancelTimer();
        signal.removeEventListener("abort", abort);
        this.#wake = undefined;
      };
      const abort = () => {
        end();
        reject(signal.reason as Error);
      };
      const cancelTimer = this.#clock.setTimer(this.#lookAgainAt - this.#clock.elapsed(), () => {
        end();
        this.#changed = undefined;
        resolve(this.#take());
      });
      signal.addEventListener("abort", abort, { once: true });
      this.#wake = () => {
        end();
        resolve(this.#take());
      };
    });
  }

  close(): void {
    this.#watcher?.close();
  }

  /** Null: the system does not say which. */
  #report(name: string | null): void {
    if (name === null) this.#changed = undefined;
    else this.#changed?.add(name);
    this.#wake?.();
  }

  #take(): ReadonlySet<string> | undefined {
    const taken = this.#changed;
    if (taken === undefined) this.#lookAgainAt = this.#clock.elapsed() + LOOK_AGAIN_MS;
    this.#changed = new Set();
    return taken;
  }
}
