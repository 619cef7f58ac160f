import { availableParallelism } from "node:os";
import type { Clock } from "../base/clock.ts";
import { keyOf } from "./ending.ts";
import type { ListedProcess } from "./process-table.ts";

/** Processor time of a changing set of processes: how much was used between two looks. */
export class CpuMeter {
  readonly #clock: Clock;
  #last: { readonly at: number; readonly processes: readonly ListedProcess[] } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Percent of all processors since the last call; 0 at the first. */
  read(processes: readonly ListedProcess[]): number {
    const last = this.#last;
    this.#last = { at: this.#clock.elapsed(), processes };
    if (last === undefined || this.#last.at <= last.at) return 0;
    const usedMs = cpuMsBetween(last.processes, processes);
    return (100 * usedMs) / (this.#last.at - last.at) / availableParallelism();
  }
}

/**
 * A process that ended hands its processor time to the parent that waits for it, so as a rule the sum only grows. Where
 * nobody of ours waited for it, its time is gone from the sum, and must not be missed there.
 */
function cpuMsBetween(before: readonly ListedProcess[], after: readonly ListedProcess[]): number {
  const alive = new Set(after.map(keyOf));
  const alivePids = new Set(after.map(({ pid }) => pid));
  const stillCounted = before.filter((entry) => alive.has(keyOf(entry)) || alivePids.has(entry.parent));
  return Math.max(0, sumOf(after) - sumOf(stillCounted));
}

function sumOf(processes: readonly ListedProcess[]): number {
  return processes.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}
