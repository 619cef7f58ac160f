import type { RatePolicy } from "../contract/limits.ts";

/** Whose starts are held to a rate, each for itself. */
export interface RateUser {
  readonly kind: "project" | "workflow" | "agent";
  /** A project's is its id. */
  readonly name: string;
}

/** How often something may be done, and when its bucket is full again: all there is to know of it. */
export interface Rate {
  readonly policy: RatePolicy;
  /** Epoch milliseconds, may have a fraction; in the past: it is full. */
  readonly fullAt: number;
}

const PERIODS_MS: Readonly<Record<RatePolicy["per"], number>> = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/**
 * When the next token may be taken, at the earliest `now`. The bucket holds `burst` tokens and gains `calls` in each period, evenly. So in
 * any stretch as long as the period no more are taken than `calls` plus `burst`.
 */
export function nextTokenAt({ policy, fullAt }: Rate, now: number): number {
  const { burst } = policy;
  return Math.max(now, Math.ceil(sane(fullAt, policy, now) - (burst - 1) * intervalMs(policy)));
}

/** When the bucket is full again after a token was taken `at` that time, which `nextTokenAt` allows. */
export function afterTaking({ policy, fullAt }: Rate, at: number): number {
  return Math.max(sane(fullAt, policy, at), at) + intervalMs(policy);
}

function intervalMs({ per, calls }: RatePolicy): number {
  return PERIODS_MS[per] / calls;
}

/** An empty bucket is full after this time: one that says later was written before the clock was set back, or by a slower policy. */
function sane(fullAt: number, policy: RatePolicy, now: number): number {
  return Math.min(fullAt, now + policy.burst * intervalMs(policy));
}
