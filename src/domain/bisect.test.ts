import { expect, test } from "vitest";
import { firstBroken } from "./bisect.ts";

test.each([1, 2, 3, 5, 8, 100])("of %i each one is found, with about as many questions as the number has binary digits", async (count) => {
  for (let culprit = 1; culprit <= count; culprit += 1) {
    const asked: number[] = [];
    const found = await firstBroken(count, async (first) => {
      asked.push(first);
      return first >= culprit;
    });
    expect([found, asked.length <= Math.ceil(Math.log2(count))]).toEqual([culprit, true]);
    // All together are known to be broken, and none is asked about twice.
    expect([asked.includes(count), new Set(asked).size]).toEqual([false, asked.length]);
  }
});
