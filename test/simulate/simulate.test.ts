import { join } from "node:path";
import { expect, test } from "vitest";
import { runSimulation } from "../support/simulation.ts";

const root = join(import.meta.dirname, "../..");
/**
 * Seeds and tasks of each: in CI as many of 200 as there is time for, on two quick processors all of them; a few for a person who
 * waits. `least`: fewer would show too little.
 */
const batches = process.env["CI"]
  ? [1, 51, 101, 151].map((from) => ({ from, seeds: 50, tasks: 1000, minutes: 10, least: 5 }))
  : [
      { from: 1, seeds: 2, tasks: 1000, minutes: 60, least: 2 },
      { from: 21, seeds: 6, tasks: 250, minutes: 60, least: 6 },
    ];

test.concurrent.each(batches)(
  "up to $seeds seeds from $from of 12 projects, $tasks tasks and faults of every kind: no invariant is broken",
  { timeout: 40 * 60_000 },
  async ({ least, ...batch }) => {
    const run = await runSimulation(root, batch);
    expect(run.lines.at(-1)).not.toHaveProperty("violation");
    expect({ exitCode: run.exitCode, errors: run.errors }).toEqual({ exitCode: 0, errors: "" });
    console.log(`simulated ${run.lines.length} of ${batch.seeds} seeds from ${batch.from}`);
    expect(run.lines.length).toBeGreaterThanOrEqual(least);
    // Else no daemon would have taken up what an earlier one left, which the crashes are for.
    expect(run.lines.every(({ adoptions }) => Number(adoptions) > 0)).toBe(true);
  },
);

test("a seed replays exactly", { timeout: 120_000 }, async () => {
  const [one, other] = await Promise.all([1, 2].map(() => runSimulation(root, { from: 7, seeds: 1, tasks: 100 })));
  expect(one?.lines).toHaveLength(1);
  expect(one).toEqual(other);
});
