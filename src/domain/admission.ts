/** Whether the machine has room for another agent; `why` is for people. */
export type Admission = { readonly admitted: true } | { readonly admitted: false; readonly why: string };

/** How the machine is off, whichever task is next. */
export interface MachineFacts {
  /** Of our agents now. */
  readonly running: number;
  /** What they use of all processors, percent. */
  readonly cpuPercent: number;
  readonly maxCpuPercent: number;
  /** Share of the last seconds in which some program stood still for want of memory; null: unknown. */
  readonly stalledPercent: number | null;
}

/** The memory of one agent, bytes. */
export interface AgentMemory {
  readonly usedBytes: number;
  /** The most that earlier runs of its project took; 0: none is known. */
  readonly learnedBytes: number;
}

export interface MemoryFacts {
  readonly maxBytes: number;
  readonly running: readonly AgentMemory[];
  /** Of the project whose task is next. */
  readonly learnedBytes: number;
  /** What the machine can give without taking it from others; null: unknown. */
  readonly availableBytes: number | null;
}

const MEGABYTE = 1024 * 1024;
/** What an agent takes at the least; of one whose project nothing is known of, no more can be said. */
const AGENT_MIN_BYTES = 64 * MEGABYTE;
/** From here on, more programs make each of them slower than the ones before gain. */
const STALLED_PERCENT_MAX = 20;

/** Whether the machine can take another agent at all. */
export function admitToMachine({ running, cpuPercent, maxCpuPercent, stalledPercent }: MachineFacts): Admission {
  if (stalledPercent !== null && stalledPercent >= STALLED_PERCENT_MAX) {
    return { admitted: false, why: `programs stand still for want of memory ${Math.round(stalledPercent)} % of the time` };
  }
  if (running > 0 && cpuPercent >= maxCpuPercent) {
    return { admitted: false, why: `agents use ${Math.round(cpuPercent)} % of the processors, the limit is ${maxCpuPercent} %` };
  }
  return { admitted: true };
}

/**
 * Whether there is memory for one more agent: beside what each one that runs takes now, or will by what was learned. With
 * none running there always is, for it would be no better later.
 */
export function admitToMemory({ maxBytes, running, learnedBytes, availableBytes }: MemoryFacts): Admission {
  if (running.length === 0) return { admitted: true };
  const committed = running.reduce((sum, { usedBytes, learnedBytes: learned }) => sum + Math.max(usedBytes, learned, AGENT_MIN_BYTES), 0);
  const wanted = Math.max(learnedBytes, AGENT_MIN_BYTES);
  if (committed + wanted > maxBytes) {
    return { admitted: false, why: `agents take ${inMB(committed)} of ${inMB(maxBytes)} MB, the next one may take ${inMB(wanted)} MB` };
  }
  if (availableBytes !== null && availableBytes < wanted) {
    return { admitted: false, why: `${inMB(availableBytes)} MB are available, the next agent may take ${inMB(wanted)} MB` };
  }
  return { admitted: true };
}

function inMB(bytes: number): number {
  return Math.round(bytes / MEGABYTE);
}
