import type { CancelTimer, Clock } from "../../src/base/clock.ts";

/** A clock that a test moves. What is deferred still happens at the end of the real turn. */
export class ManualClock implements Clock {
  #now: number;
  #timers: { readonly at: number; readonly run: () => void }[] = [];

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  elapsed(): number {
    return this.#now;
  }

  setTimer(ms: number, run: () => void): CancelTimer {
    const timer = { at: this.#now + Math.max(0, ms), run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  defer(run: () => void): void {
    setImmediate(run);
  }

  /** Moves on, stopping at each timer that is due on the way; the earliest first. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.#timers = this.#timers.filter((one) => one !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = until;
  }

  /** How long until the next timer, milliseconds; undefined: none is set. */
  get nextTimerMs(): number | undefined {
    return this.#timers.length === 0 ? undefined : Math.min(...this.#timers.map((one) => one.at)) - this.#now;
  }

  #next(until: number) {
    return this.#timers.filter((one) => one.at <= until).toSorted((a, b) => a.at - b.at)[0];
  }
}
