import type { CancelTimer, Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import type { BuiltinConfig } from "../contract/provider.ts";

export type PatienceLimits = Pick<BuiltinConfig, "firstChunkTimeoutMs" | "chunkTimeoutMs" | "callTimeoutMs">;

/** How long a model is waited for: to begin its answer, to go on with it, and for all of it. To be disposed of when that is there. */
export class Patience implements Disposable {
  /** Aborts with `timeout`, or with the outer signal's reason. */
  readonly signal: AbortSignal;
  readonly #clock: Clock;
  readonly #limits: PatienceLimits;
  readonly #tooLong = new AbortController();
  readonly #cancelWhole: CancelTimer;
  #cancelChunk: CancelTimer;

  constructor(clock: Clock, limits: PatienceLimits, signal: AbortSignal) {
    this.#clock = clock;
    this.#limits = limits;
    this.signal = AbortSignal.any([signal, this.#tooLong.signal]);
    const { firstChunkTimeoutMs, callTimeoutMs } = limits;
    this.#cancelWhole = this.#giveUpAfter(callTimeoutMs, "The model's answer did not come to an end");
    this.#cancelChunk = this.#giveUpAfter(firstChunkTimeoutMs, "The model did not begin to answer");
  }

  /** A part of the answer has come. */
  heard(): void {
    this.#cancelChunk();
    this.#cancelChunk = this.#giveUpAfter(this.#limits.chunkTimeoutMs, "The model stopped in the middle of its answer, and nothing came");
  }

  [Symbol.dispose](): void {
    this.#cancelWhole();
    this.#cancelChunk();
  }

  #giveUpAfter(ms: number, what: string): CancelTimer {
    return this.#clock.setTimer(ms, () => this.#tooLong.abort(new AppError("timeout", `${what} within ${ms / 1000} s.`)));
  }
}
