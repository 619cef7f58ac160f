import { expect, test } from "vitest";
import { ago, count, inOneUnit, megabytes, money, plural } from "./format.ts";

test("a length of time has one unit", () => {
  const lengths = [0, 59_999, 60_000, 3_599_999, 3_600_000, 172_799_999, 172_800_000];
  expect(lengths.map(inOneUnit)).toEqual(["0 s", "59 s", "1 min", "59 min", "1 h", "47 h", "2 days"]);
});

test("a time that has just come, or is still to come, is now", () => {
  expect([ago(1000, 1999), ago(5000, 1000), ago(1000, 181_000)]).toEqual(["now", "now", "3 min ago"]);
});

test("numbers are short and say when there is none", () => {
  expect([money(84_000), money(0), money(null), money(12_345_678)]).toEqual(["$0.08", "$0.00", "-", "$12.35"]);
  expect([count(9999), count(41_000), count(1_250_000)]).toEqual(["9999", "41k", "1.3M"]);
  expect([megabytes(92_000_000), plural(1, "task"), plural(0, "task")]).toEqual(["88 MB", "1 task", "0 tasks"]);
});
