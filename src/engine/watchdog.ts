import type { CancelTimer, Clock } from "../base/clock.ts";
import { RunStopped } from "./run-stop.ts";

export interface RunLimits {
  /** How long the run may go on from now, milliseconds. */
  readonly runMs: number;
  /** How long it may show no sign of progress, milliseconds. */
  readonly silenceMs: number;
}

/** Stops a run that goes on for too long or falls silent. A run that waits for a person is not silent. */
export class Watchdog implements Disposable {
  readonly #clock: Clock;
  readonly #limits: RunLimits;
  readonly #stop: (reason: RunStopped) => void;
  readonly #cancelRun: CancelTimer;
  #cancelSilence: CancelTimer = () => {};
  #lastProgress: number;

  constructor(clock: Clock, limits: RunLimits, stop: (reason: RunStopped) => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#stop = stop;
    this.#lastProgress = clock.elapsed();
    this.#cancelRun = clock.setTimer(limits.runMs, () =>
      this.#end("timed_out", `It ran longer than its limit allows (${limits.runMs} ms were left to it).`),
    );
    this.#watchSilence(limits.silenceMs);
  }

  progressed({ waiting }: { waiting: boolean }): void {
    this.#lastProgress = waiting ? Infinity : this.#clock.elapsed();
  }

  [Symbol.dispose](): void {
    this.#cancelRun();
    this.#cancelSilence();
  }

  // One timer for a whole stretch of silence, not one a line.
  #watchSilence(inMs: number): void {
    this.#cancelSilence = this.#clock.setTimer(inMs, () => {
      const silentMs = this.#clock.elapsed() - Math.min(this.#lastProgress, this.#clock.elapsed());
      if (silentMs >= this.#limits.silenceMs) {
        this.#end("stalled", `It showed no sign of progress for ${Math.round(silentMs / 1000)} s.`);
      } else this.#watchSilence(Math.max(1, Math.ceil(this.#limits.silenceMs - silentMs)));
    });
  }

  #end(reason: "timed_out" | "stalled", message: string): void {
    this.#stop(new RunStopped({ kind: "limit", reason, message }));
  }
}
