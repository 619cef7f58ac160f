import { expect, test } from "vitest";
import type { Figure } from "../../contract/figures.ts";
import { byDay, meanDurationMs, successPercent, sumOf } from "./figure-sums.ts";

const figure = (change: Partial<Figure>): Figure => ({
  day: "2026-01-02",
  name: "api",
  runs: 4,
  succeeded: 2,
  failed: 1,
  cancelled: 1,
  durationMs: 4000,
  inputTokens: 10,
  outputTokens: 5,
  costUsdMicros: 7,
  ...change,
});

test("sums, and what follows from them", () => {
  const sums = sumOf([figure({}), figure({ name: "web" })]);
  expect(sums).toEqual({
    runs: 8,
    succeeded: 4,
    failed: 2,
    cancelled: 2,
    durationMs: 8000,
    inputTokens: 20,
    outputTokens: 10,
    costUsdMicros: 14,
  });
  expect([successPercent(sums), meanDurationMs(sums)]).toEqual([67, 1000]);
  expect([successPercent(sumOf([])), meanDurationMs(sumOf([]))]).toEqual([null, null]);
});

test("every day is there, whether something began on it or not", () => {
  const days = byDay([figure({})], 3, Date.UTC(2026, 0, 3, 12));
  expect(days.map(({ day, sums }) => [day, sums.runs])).toEqual([
    ["2026-01-01", 0],
    ["2026-01-02", 4],
    ["2026-01-03", 0],
  ]);
});
