import { readFileSync } from "node:fs";

/** What a process takes of the machine's memory, MB. */
export interface Footprint {
  /** All its pages that are in memory, those it shares with others too. */
  readonly resident: number;
  /** Pages that are its alone and that it wrote: what its end gives back. */
  readonly dirty: number;
}

/** From the kernel's own account (Linux: proc_pid_smaps_rollup). */
export function footprintOf(pid: number): Footprint {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const megabytes = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(rollup)?.[1]) / 1024;
  return { resident: megabytes("Rss"), dirty: megabytes("Private_Dirty") };
}
