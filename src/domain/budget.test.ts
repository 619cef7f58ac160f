import fc from "fast-check";
import { expect, test } from "vitest";
import { fits, priced } from "./budget.ts";

const usage = { inputTokens: 1000, outputTokens: 200, cacheReadTokens: 50_000, costUsdMicros: null };

test("tokens cost what the settings say, where the agent tells no cost", () => {
  const prices = { input: 3, output: 15, cacheRead: 0.3 };
  expect(priced(usage, prices)).toEqual({ ...usage, costUsdMicros: 21_000 });
  expect(priced({ ...usage, costUsdMicros: 7 }, prices).costUsdMicros).toBe(7);
  expect(priced(usage, null)).toEqual(usage);
});

test("a run that nobody knows the cost of starts alone", () => {
  expect(fits({ spent: 0, reserved: 0, open: 0 }, Infinity, 100)).toBe(true);
  expect(fits({ spent: 0, reserved: Infinity, open: 1 }, Infinity, 100)).toBe(false);
  expect(fits({ spent: 100, reserved: 0, open: 0 }, 0, 100)).toBe(false);
});

test("runs that cost no more than was expected never exceed a budget together, however many would start", () => {
  const costs = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 40 });
  fc.assert(
    fc.property(costs, fc.integer({ min: 1, max: 500 }), fc.nat(3), (all, limit, keepsOpen) => {
      const expected = 50;
      let spent = 0;
      let open: number[] = [];
      for (const cost of all) {
        if (!fits({ spent, reserved: open.length * expected, open: open.length }, expected, limit)) open = end(open, 0);
        else open.push(cost);
        open = end(open, keepsOpen);
      }
      end(open, 0);
      // The last bit is for one run alone, which is stopped when it is used up.
      expect(spent).toBeLessThan(limit + expected);

      function end(running: number[], left: number): number[] {
        while (running.length > left) spent += running.shift() ?? 0;
        return running;
      }
    }),
  );
});
