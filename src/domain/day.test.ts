import fc from "fast-check";
import { expect, test } from "vitest";
import { dayOf, minuteOf } from "./day.ts";

test("a day is the calendar's where the process is, and ends where the next begins", () => {
  const noon = new Date(2026, 0, 31, 12, 5).getTime();
  expect(dayOf(noon)).toEqual({ name: "2026-01-31", endsAt: new Date(2026, 1, 1).getTime() });
  expect(minuteOf(noon)).toBe("2026-01-31 12:05");
});

test("every moment is in one day, which ends within 25 hours", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), (at) => {
      const { name, endsAt } = dayOf(at);
      expect(endsAt).toBeGreaterThan(at);
      expect(endsAt - at).toBeLessThanOrEqual(25 * 3_600_000);
      expect(dayOf(endsAt - 1).name).toBe(name);
      expect(dayOf(endsAt).name > name).toBe(true);
    }),
  );
});
