import { join } from "node:path";
import { expect, test } from "vitest";
import { runSimulation } from "../support/simulation.ts";

const root = join(import.meta.dirname, "../..");
/** All of them in CI, where time is; a few for a person who waits. */
const SEEDS = process.env["CI"] ? 200 : 6;
const PROCESSES = 2;

test(`${SEEDS} seeds of 12 projects, 1,000 tasks and faults of every kind: no invariant is broken`, { timeout: 30 * 60_000 }, async () => {
  const each = SEEDS / PROCESSES;
  const runs = Array.from({ length: PROCESSES }, (_, index) => runSimulation(root, { from: 1 + index * each, seeds: each, tasks: 1000 }));
  for (const run of await Promise.all(runs)) {
    expect(run.lines.at(-1)).not.toHaveProperty("violation");
    expect({ exitCode: run.exitCode, errors: run.errors, seeds: run.lines.length }).toEqual({ exitCode: 0, errors: "", seeds: each });
  }
});

test("a seed replays exactly", { timeout: 120_000 }, async () => {
  const [one, other] = await Promise.all([1, 2].map(() => runSimulation(root, { from: 7, seeds: 1, tasks: 100 })));
  expect(one?.lines).toHaveLength(1);
  expect(one).toEqual(other);
});
