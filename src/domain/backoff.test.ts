import fc from "fast-check";
import { expect, test } from "vitest";
import { retryDelay } from "./backoff.ts";

test("the delay doubles with each attempt, up to the maximum", () => {
  const most = (attempt: number) => retryDelay(attempt, 10_000, () => 1, 60_000);
  expect([1, 2, 3, 4, 5, 1000].map(most)).toEqual([10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
});

test("the maximum is 15 minutes unless the base itself is longer", () => {
  expect(retryDelay(30, 1000, () => 1)).toBe(15 * 60_000);
  expect(retryDelay(30, 3_600_000, () => 1)).toBe(3_600_000);
});

test("the random part is the upper half: never less than half, never more than the whole", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.nat(1_000_000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, baseMs, random) => {
        const whole = retryDelay(attempt, baseMs, () => 1);
        const delay = retryDelay(attempt, baseMs, () => random);
        expect(Number.isInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(Math.floor(whole / 2));
        expect(delay).toBeLessThanOrEqual(whole);
      },
    ),
  );
});
