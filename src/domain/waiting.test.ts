import { expect, test } from "vitest";
import { waited } from "./waiting.ts";

test.each([
  [0, "0 seconds"],
  [119_999, "119 seconds"],
  [120_000, "2 minutes"],
  [7_199_999, "119 minutes"],
  [7_200_000, "2 hours"],
  [172_799_999, "47 hours"],
  [172_800_000, "2 days"],
])("%d ms are %s", (ms, shown) => {
  expect(waited(ms)).toBe(shown);
});
