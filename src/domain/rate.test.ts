import fc from "fast-check";
import { expect, test } from "vitest";
import type { RatePolicy } from "../contract/limits.ts";
import { afterTaking, nextTokenAt, type Rate } from "./rate.ts";

const tenAMinute: RatePolicy = { per: "minute", calls: 10, burst: 2 };

/** Takes as soon as it may, and as the one who wants it comes: the times at which tokens are had. */
function takeAll(policy: RatePolicy, wants: readonly number[], fullAt = 0): number[] {
  let rate: Rate = { policy, fullAt };
  let now = 0;
  return wants.map((at) => {
    now = nextTokenAt(rate, Math.max(now, at));
    rate = { policy, fullAt: afterTaking(rate, now) };
    return now;
  });
}

test("thirty that come at once are let through two at once, then one each sixth of a minute", () => {
  const times = takeAll(
    tenAMinute,
    Array.from({ length: 30 }, () => 1_000_000),
  );
  expect(times.slice(0, 5)).toEqual([1_000_000, 1_000_000, 1_006_000, 1_012_000, 1_018_000]);
  expect(times.at(-1)).toBe(1_000_000 + 28 * 6000);
});

test("in no stretch of a period are there more than its calls and the burst, and nobody waits longer than that asks for", () => {
  const policies = fc.record({
    per: fc.constantFrom("second" as const, "minute" as const),
    calls: fc.integer({ min: 1, max: 70 }),
    burst: fc.integer({ min: 1, max: 20 }),
  });
  const pauses = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 60 });
  fc.assert(
    fc.property(policies, pauses, (policy, steps) => {
      let at = 0;
      const wants = steps.map((step) => (at += step));
      const times = takeAll(policy, wants);
      const periodMs = policy.per === "second" ? 1000 : 60_000;
      for (const [index, begin] of times.entries()) {
        const inPeriod = times.slice(index).filter((time) => time < begin + periodMs).length;
        expect(inPeriod).toBeLessThanOrEqual(policy.calls + policy.burst);
      }
      const waits = times.map((time, index) => time - (wants[index] ?? 0));
      expect(Math.max(0, ...waits)).toBeLessThanOrEqual(Math.ceil((times.length * periodMs) / policy.calls));
    }),
  );
});

test("a clock that was set back, or a policy that became quicker, holds nobody up longer than an empty bucket would", () => {
  expect(nextTokenAt({ policy: tenAMinute, fullAt: 9_000_000 }, 1_000_000)).toBe(1_006_000);
  expect(afterTaking({ policy: tenAMinute, fullAt: 9_000_000 }, 1_006_000)).toBe(1_006_000 + 3 * 6000);
});

test("a bucket that is full lets its burst through and no more", () => {
  expect(nextTokenAt({ policy: tenAMinute, fullAt: 1_006_000 }, 1_000_000)).toBe(1_000_000);
  expect(nextTokenAt({ policy: tenAMinute, fullAt: 1_006_001 }, 1_000_000)).toBe(1_000_001);
  expect(nextTokenAt({ policy: { ...tenAMinute, burst: 1 }, fullAt: 1_000_500 }, 1_000_000)).toBe(1_000_500);
});
