import type { Random } from "../base/random.ts";
import { retryDelay } from "./backoff.ts";

/** What is known of a provider's account, whose limits all agents that use it share. */
export interface AccountState {
  /** At its usage limit until then; null: it was not, or the limit was lifted. */
  readonly limitedUntil: number | null;
  /** Usage limits in a row of which the provider named no end. */
  readonly limits: number;
  /** How many might run at once when the provider was last overloaded; more and more since. Null: it was not. */
  readonly cap: number | null;
  /** When that was. */
  readonly slowedAt: number;
  /** Nothing new starts before, since the provider was overloaded. */
  readonly pausedUntil: number | null;
  /** Times in a row that the provider was overloaded. */
  readonly overloads: number;
}

export const freshAccount: AccountState = { limitedUntil: null, limits: 0, cap: null, slowedAt: 0, pausedUntil: null, overloads: 0 };

/** One more may run for each such time without an overload: the additive increase. */
const INCREASE_EVERY_MS = 60_000;
/** After this time without one, the next overload is the first again. */
const FORGET_MS = 10 * 60_000;
/** How long nothing starts after an overload; doubled for each further one in a row. */
const PAUSE_MS = 20_000;
const PAUSE_MAX_MS = 5 * 60_000;
/** How long to wait for a usage limit whose end nobody named; doubled for each further one in a row. */
const LIMIT_MS = 15 * 60_000;
const LIMIT_MAX_MS = 5 * 3_600_000;

/**
 * The provider refused for now (HTTP 429, 529) while so many ran: half as many may from here on, and nothing starts for a
 * moment. What is told within that moment, by agents that run already, is the same overload.
 */
export function noteOverload(account: AccountState, running: number, now: number, random: Random): AccountState {
  if ((account.pausedUntil ?? 0) > now) return account;
  const overloads = now - account.slowedAt > FORGET_MS ? 1 : account.overloads + 1;
  const cap = Math.max(1, Math.floor(Math.min(running, capAt(account, now)) / 2));
  return { ...account, cap, slowedAt: now, overloads, pausedUntil: now + retryDelay(overloads, PAUSE_MS, random, PAUSE_MAX_MS) };
}

/**
 * The account is used up: until the time that the provider named, or for longer and longer where it named none, or one
 * that is past. In the latter case it is gone on with carefully, one first.
 */
export function noteUsageLimit(account: AccountState, resetAt: number | null, now: number, random: Random): AccountState {
  const known = account.limitedUntil ?? 0;
  if (resetAt !== null && resetAt > now) return { ...account, limitedUntil: Math.max(resetAt, known), limits: 0 };
  // Told by another run of the same account already.
  if (known > now) return account;
  const limits = account.limits + 1;
  const limitedUntil = now + retryDelay(limits, LIMIT_MS, random, LIMIT_MAX_MS);
  return { ...account, limits, limitedUntil, cap: 1, slowedAt: limitedUntil };
}

/** The provider served a run to its end. What it was refused before is over; the cap rises by time alone. */
export function noteServed(account: AccountState): AccountState {
  return account.limits === 0 && account.overloads === 0 ? account : { ...account, limits: 0, overloads: 0 };
}

/** How many of the account may run at once; Infinity: it was never overloaded. */
export function capAt({ cap, slowedAt }: AccountState, now: number): number {
  return cap === null ? Infinity : cap + Math.floor(Math.max(0, now - slowedAt) / INCREASE_EVERY_MS);
}

/** Why nothing of the account may start now, so many of it running, and when that changes; undefined: it may. */
export function accountHold(
  account: AccountState,
  running: number,
  now: number,
): { readonly reason: "usage_limit" | "overloaded"; readonly until: number } | undefined {
  if ((account.limitedUntil ?? 0) > now) return { reason: "usage_limit", until: account.limitedUntil ?? 0 };
  if ((account.pausedUntil ?? 0) > now) return { reason: "overloaded", until: account.pausedUntil ?? 0 };
  if (running < capAt(account, now)) return undefined;
  const sinceMs = Math.max(0, now - account.slowedAt);
  return { reason: "overloaded", until: now + INCREASE_EVERY_MS - (sinceMs % INCREASE_EVERY_MS) };
}

/** Until when the account serves nobody at all; null: it serves. */
export function servesAgainAt({ limitedUntil, pausedUntil }: AccountState, now: number): number | null {
  const until = Math.max(limitedUntil ?? 0, pausedUntil ?? 0);
  return until > now ? until : null;
}
