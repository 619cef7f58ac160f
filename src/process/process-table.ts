/** A living process. Its pid may be reused later; pid and start time together may not. */
export interface ProcessEntry {
  readonly pid: number;
  /** As `ProcessIdentity.startTime`. */
  readonly startTime: string;
  readonly parent: number;
  /** Its process group. */
  readonly group: number;
}

/** A living process with what its environment says. */
export interface ListedProcess extends ProcessEntry {
  /** `DROVER_SCOPE` and `DROVER_RUN` as it was started with; null: it carries none, or another user's. */
  readonly mark: { readonly scope: string; readonly marker: string } | null;
  /** Processor time of its own and of the children it has waited for. */
  readonly cpuMs: number;
}

/**
 * The system's processes. A dead process that nobody has reaped yet counts as gone. Every method throws `unavailable`
 * when the system does not tell; an empty answer is never a failure in disguise.
 */
export interface ProcessTable {
  /** Names this start of the machine. */
  readBootId(): Promise<string>;
  /** The living process with this pid. */
  find(pid: number): Promise<ProcessEntry | undefined>;
  list(): Promise<ListedProcess[]>;
  /** Bytes that each of them holds for itself, by pid: program and library files, which many share, are left out. */
  measureMemory(processes: readonly ProcessEntry[]): Promise<ReadonlyMap<number, number>>;
}

/** Whether what was found is the very process that is known: its pid alone may have been given to another since. */
export function isSame(known: Pick<ProcessEntry, "startTime">, found: Pick<ProcessEntry, "startTime"> | undefined): boolean {
  return found?.startTime === known.startTime;
}
