import type { RunId } from "../contract/ids.ts";
import type { CircuitState } from "../contract/circuit.ts";

/** What the end of a run says to a breaker. `fatal`: no need to see it more often. `neutral`: nothing. */
export type BreakerVerdict = "success" | "failure" | "fatal" | "neutral";

/**
 * A circuit breaker. `closed`, it counts failures in a row; at so many of them it opens. `open`, it lets nothing start until
 * its cool-down is over; then one run may start, its trial, and it is `half_open` until that ends: a success closes it, a
 * failure opens it for twice as long, and a trial that says nothing gives its place to another.
 */
export interface Breaker {
  readonly state: CircuitState;
  /** Since the last success. */
  readonly failures: number;
  /** How often it has opened since it was last closed. */
  readonly openings: number;
  /** When an open one lets its trial start; null: it is not open. */
  readonly openUntil: number | null;
  /** What a half-open one has let start; null: it waits for one. */
  readonly trial: RunId | null;
}

export interface BreakerLimits {
  /** So many failures in a row open it. */
  readonly failures: number;
  readonly coolDownMs: number;
  readonly coolDownMaxMs: number;
}

export const closedBreaker: Breaker = { state: "closed", failures: 0, openings: 0, openUntil: null, trial: null };

/** What the next run would be to it: nothing special, its trial, or not allowed to start. */
export function admits({ state, openUntil, trial }: Breaker, now: number): "run" | "trial" | "none" {
  if (state === "closed") return "run";
  if (state === "open") return now >= (openUntil ?? 0) ? "trial" : "none";
  return trial === null ? "trial" : "none";
}

/** A run has started as its trial. */
export function beginTrial(breaker: Breaker, runId: RunId): Breaker {
  return { ...breaker, state: "half_open", openUntil: null, trial: runId };
}

/** A run has ended. One that began before the breaker opened has nothing to say while it is not closed. */
export function settle(breaker: Breaker, runId: RunId, verdict: BreakerVerdict, limits: BreakerLimits, now: number): Breaker {
  const isTrial = breaker.trial === runId;
  if (verdict === "neutral") return isTrial ? { ...breaker, trial: null } : breaker;
  if (breaker.state !== "closed" && !isTrial) return breaker;
  if (verdict === "success") return breaker.failures === 0 && !isTrial ? breaker : closedBreaker;
  const failures = breaker.failures + 1;
  const opens = isTrial || verdict === "fatal" || failures >= limits.failures;
  return opens ? open({ ...breaker, failures }, limits, now) : { ...breaker, failures };
}

/** Opens it, each time in a row for twice as long. */
export function open(breaker: Breaker, { coolDownMs, coolDownMaxMs }: BreakerLimits, now: number): Breaker {
  const coolDown = Math.min(coolDownMs * 2 ** breaker.openings, Math.max(coolDownMs, coolDownMaxMs));
  return { ...breaker, state: "open", openings: breaker.openings + 1, openUntil: now + coolDown, trial: null };
}
