import type { PlannedTask, PrdEstimate } from "../contract/prd.ts";

/** What a finished task took. Cost in millionths of a US dollar; null: not reported. */
export interface PastTask {
  readonly costUsdMicros: number | null;
  readonly durationMs: number;
}

type Range = PrdEstimate["costUsd"];

/** What a task, and a decomposition, may take while nothing is known: what agents of today take for a few hundred lines. */
export const defaultEstimate = {
  task: { costUsd: { low: 0.5, high: 3 }, durationMs: { low: 600_000, high: 2_400_000 } },
  decomposition: { costUsd: { low: 0.3, high: 1.5 }, durationMs: { low: 180_000, high: 900_000 } },
} as const;

/** Fewer past tasks than this say little. */
const KNOWN_MIN = 5;

/**
 * What a PRD may take: its decomposition, then its tasks, `workers` at a time, each as soon as those before it are done. From the
 * middle half of what past tasks took, or else the default.
 */
export function estimateOf(tasks: readonly Pick<PlannedTask, "id" | "after">[], workers: number, past: readonly PastTask[]): PrdEstimate {
  const isKnown = past.length >= KNOWN_MIN;
  const costs = past.flatMap(({ costUsdMicros }) => (costUsdMicros === null ? [] : [costUsdMicros / 1_000_000]));
  const cost = isKnown && costs.length >= KNOWN_MIN ? middleHalf(costs) : defaultEstimate.task.costUsd;
  const duration = isKnown ? middleHalf(past.map(({ durationMs }) => durationMs)) : defaultEstimate.task.durationMs;
  const rounds = makespan(tasks, workers);
  const { decomposition } = defaultEstimate;
  return {
    tasks: tasks.length,
    workers,
    costUsd: add(decomposition.costUsd, times(cost, tasks.length)),
    durationMs: add(decomposition.durationMs, times(duration, rounds)),
    basis: isKnown ? { kind: "runs", tasks: past.length } : { kind: "default", tasks: 0 },
  };
}

/** How many task lengths all tasks take, so many at a time, each behind those that it needs. Those that wait for each other are left out. */
function makespan(tasks: readonly Pick<PlannedTask, "id" | "after">[], workers: number): number {
  const done = new Set<string>();
  let left = tasks;
  let rounds = 0;
  for (;;) {
    const begun = left.filter(({ after }) => after.every((id) => done.has(id))).slice(0, workers);
    if (begun.length === 0) return rounds;
    for (const { id } of begun) done.add(id);
    left = left.filter((task) => !begun.includes(task));
    rounds += 1;
  }
}

function middleHalf(values: readonly number[]): Range {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return { low: at(0.25), high: at(0.75) };
}

function times({ low, high }: Range, factor: number): Range {
  return { low: low * factor, high: high * factor };
}

function add(one: Range, other: Range): Range {
  return { low: one.low + other.low, high: one.high + other.high };
}
