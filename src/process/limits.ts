import { availableParallelism } from "node:os";

/** What a command and all that it starts may take of the machine; null: as much as there is. */
export interface RunLimits {
  readonly memoryBytes: number | null;
  /** Processors that it may keep busy, 0.5: half of one. */
  readonly cpus: number | null;
  /** Processes with their threads, as the kernel counts them. */
  readonly processes: number | null;
}

export const noLimits: RunLimits = { memoryBytes: null, cpus: null, processes: null };

/** A share of all processors of this machine as a number of them. */
export function cpusOf(percent: number): number {
  return (availableParallelism() * percent) / 100;
}
