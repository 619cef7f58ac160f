import { sleep, type Clock } from "../base/clock.ts";

/**
 * GitHub asks for at most 80 requests a minute that make content, over all repositories of a token
 * (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api, secondary limits).
 */
const WRITES_A_MINUTE = 80;
const MINUTE_MS = 60_000;

/** Lets at most so many writes of all projects through in any minute; the others wait their turn. */
export class WriteLimit {
  readonly #clock: Clock;
  /** When each of the last writes was let through, by the clock that never goes back. */
  readonly #taken: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when the next write may happen. Rejects with the signal's reason. */
  async take(signal: AbortSignal): Promise<void> {
    while (this.#taken.length >= WRITES_A_MINUTE) {
      const waitMs = (this.#taken[0] ?? 0) + MINUTE_MS - this.#clock.elapsed();
      if (waitMs <= 0) this.#taken.shift();
      else await sleep(this.#clock, waitMs, signal);
    }
    this.#taken.push(this.#clock.elapsed());
  }
}
