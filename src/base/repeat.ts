import type { CancelTimer, Clock } from "./clock.ts";

export interface Repeating {
  /** After this nothing begins any more; resolves when what was under way has ended. Safe to call twice. */
  stop(): Promise<void>;
}

/** Does `work` again and again, `everyMs()` after the end of the time before, never overlapping itself. A throw is told and repeated work goes on. */
export function repeat(
  clock: Clock,
  everyMs: () => number,
  work: () => Promise<unknown> | void,
  onError: (thrown: unknown) => void,
): Repeating {
  let stopped = false;
  let cancel: CancelTimer;
  let underWay: Promise<void> = Promise.resolve();

  const schedule = () => {
    cancel = clock.setTimer(everyMs(), () => {
      underWay = once();
    });
  };
  const once = async () => {
    try {
      await work();
    } catch (thrown) {
      onError(thrown);
    }
    if (!stopped) schedule();
  };

  schedule();
  return {
    stop() {
      stopped = true;
      cancel();
      return underWay;
    },
  };
}
