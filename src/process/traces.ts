import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { Changes } from "./changes.ts";
import { newestChange } from "./newest-change.ts";
import { readSpool, type Spooled } from "./spool.ts";

/** What runs leave in files for us to see. The simulator has one of its own. */
export interface Traces {
  /** The complete records of a spool behind a place in it. */
  readSpool(file: string, from: number): Promise<Spooled>;
  /** Tells whenever a file of a folder may have changed, the first time at once; ends with the signal. */
  watch(folder: string, signal: AbortSignal): AsyncIterable<void>;
  /** When something below a folder last changed, epoch milliseconds; null: there is nothing. */
  newestChange(folder: string, signal: AbortSignal): Promise<number | null>;
}

export function createTraces(clock: Clock, log: Log): Traces {
  return {
    readSpool,
    newestChange,
    async *watch(folder, signal) {
      const changes = new Changes(folder, clock, log);
      try {
        while (!signal.aborted) {
          yield;
          await changes.next(signal);
        }
      } catch (thrown) {
        if (!signal.aborted) throw thrown;
      } finally {
        changes.close();
      }
    },
  };
}
