import type { Random } from "../base/random.ts";

const DELAY_MAX_MS = 15 * 60_000;

/**
 * How long to wait after failed attempt number `attempt` (1-based), milliseconds: `baseMs`, doubled for each further
 * attempt, never above `maxMs` (or `baseMs`, where somebody set that higher). Of this the upper half is random, so that
 * what failed together does not come back together, and nothing comes back at once.
 */
export function retryDelay(attempt: number, baseMs: number, random: Random, maxMs = DELAY_MAX_MS): number {
  const full = Math.min(baseMs * 2 ** (attempt - 1), Math.max(baseMs, maxMs));
  return Math.round((full / 2) * (1 + random()));
}
