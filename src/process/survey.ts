import { availableParallelism, uptime } from "node:os";
import type { Clock } from "../base/clock.ts";
import type { ListedProcess } from "./process-table.ts";
import { CpuMeter } from "./usage.ts";

/** What was seen of the processes that carry one marker. */
export interface Survey {
  /** The share of one processor that they used since the last survey; 0 at the first. */
  readonly busyShare: number;
  /** When each of those that live was started, epoch milliseconds. */
  readonly startedAts: readonly number[];
}

/** Looks at the processes of each marker, one survey after the other. */
export class Surveyor {
  readonly #clock: Clock;
  readonly #meters = new Map<string, CpuMeter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param processes with a marker, all of them. */
  read(processes: ReadonlyMap<string, readonly ListedProcess[]>): Map<string, Survey> {
    for (const marker of this.#meters.keys()) if (!processes.has(marker)) this.#meters.delete(marker);
    return new Map([...processes].map(([marker, entries]) => [marker, this.#survey(marker, entries)]));
  }

  #survey(marker: string, entries: readonly ListedProcess[]): Survey {
    const meter = this.#meters.get(marker) ?? new CpuMeter(this.#clock);
    this.#meters.set(marker, meter);
    const now = this.#clock.now();
    return {
      busyShare: (meter.read(entries) / 100) * availableParallelism(),
      startedAts: entries.map((entry) => startedAt(entry, now)),
    };
  }
}

/** From hundredths of a second since the boot on Linux, from a date on macOS. */
function startedAt({ startTime }: ListedProcess, now: number): number {
  return /^\d+$/u.test(startTime) ? Math.round(now - uptime() * 1000 + Number(startTime) * 10) : Date.parse(startTime);
}
