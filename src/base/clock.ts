/** Cancels a timer; safe to call twice and after it fired. */
export type CancelTimer = () => void;

/**
 * The only source of time. Everything that waits or stamps receives one, so that tests and the simulator can move it.
 * Times are epoch milliseconds (`...At`), durations milliseconds (`...Ms`).
 */
export interface Clock {
  /** Wall time, epoch milliseconds. It may jump; measure durations with `elapsed`. */
  now(): number;
  /** Milliseconds since some fixed moment of this process; never goes back. */
  elapsed(): number;
  /** Calls `run` once, `ms` from now. A pending timer does not keep the process alive. */
  setTimer(ms: number, run: () => void): CancelTimer;
  /** Calls `run` after the current turn of the event loop, before any timer. */
  defer(run: () => void): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  setTimer(ms, run) {
    const timer = setTimeout(run, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  defer: (run) => void setImmediate(run),
};

/** Resolves after `ms`. Rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal.reason);
    };
    const cancel = clock.setTimer(ms, () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
