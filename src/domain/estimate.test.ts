import { expect, test } from "vitest";
import { defaultEstimate, estimateOf } from "./estimate.ts";

const { task, decomposition } = defaultEstimate;
const tasks = [
  { id: "A", after: [] },
  { id: "B", after: [] },
  { id: "C", after: [] },
  { id: "D", after: ["A"] },
];

test("while nothing is known, a stated range holds, and workers share the time but not the cost", () => {
  const of = (workers: number) => estimateOf(tasks, workers, []);
  expect([1, 2, 4].map((workers) => (of(workers).durationMs.low - decomposition.durationMs.low) / task.durationMs.low)).toEqual([4, 2, 2]);
  expect(of(2)).toEqual({
    tasks: 4,
    workers: 2,
    costUsd: { low: 4 * task.costUsd.low + decomposition.costUsd.low, high: 4 * task.costUsd.high + decomposition.costUsd.high },
    durationMs: {
      low: 2 * task.durationMs.low + decomposition.durationMs.low,
      high: 2 * task.durationMs.high + decomposition.durationMs.high,
    },
    basis: { kind: "default", tasks: 0 },
  });
});

test("what past tasks took counts from the fifth on, without the outliers; a cost that nobody told stays a guess", () => {
  const past = [1, 60, 2, 3, 4].map((minutes) => ({ costUsdMicros: minutes * 1_000_000, durationMs: minutes * 60_000 }));
  expect(estimateOf(tasks.slice(0, 1), 2, past)).toEqual({
    tasks: 1,
    workers: 2,
    costUsd: { low: 2 + decomposition.costUsd.low, high: 4 + decomposition.costUsd.high },
    durationMs: { low: 120_000 + decomposition.durationMs.low, high: 240_000 + decomposition.durationMs.high },
    basis: { kind: "runs", tasks: 5 },
  });
  const untold = past.map((one) => ({ ...one, costUsdMicros: null }));
  expect(estimateOf(tasks.slice(0, 1), 2, untold).costUsd.low).toBe(task.costUsd.low + decomposition.costUsd.low);
  expect(estimateOf(tasks, 2, past.slice(1)).basis).toEqual({ kind: "default", tasks: 0 });
});
