const HOUR_MS = 3_600_000;

/** Since when what was sent counts. */
export function throttleBegin(now: number): number {
  return now - HOUR_MS;
}

/**
 * Whether one more may be sent now, at most `max` an hour. `sentAt`: when something was sent within the last hour, the
 * latest first. `isLast`: with it the hour is full, so it must say all that there is to say.
 */
export function throttle(sentAt: readonly number[], max: number): { readonly nextAt: number } | { readonly isLast: boolean } {
  const freedBy = sentAt[max - 1];
  return freedBy === undefined ? { isLast: sentAt.length === max - 1 } : { nextAt: freedBy + HOUR_MS };
}
