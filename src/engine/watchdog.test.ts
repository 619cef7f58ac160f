import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import type { RunStopped } from "./run-stop.ts";
import { Watchdog, type RunLimits } from "./watchdog.ts";

const MINUTE = 60_000;

function watch(limits: RunLimits) {
  const clock = new ManualClock();
  const stops: RunStopped[] = [];
  const watchdog = new Watchdog(clock, limits, (reason) => stops.push(reason));
  return { clock, watchdog, reasons: () => stops.map(({ stop }) => stop.kind === "limit" && stop.reason) };
}

test("stops a run at its limit however busy it is", () => {
  const { clock, watchdog, reasons } = watch({ runMs: 60 * MINUTE, silenceMs: 10 * MINUTE });
  for (let minute = 0; minute < 59; minute += 1) {
    clock.advance(MINUTE);
    watchdog.progressed({ waiting: false });
  }
  expect(reasons()).toEqual([]);
  clock.advance(MINUTE);
  expect(reasons()).toEqual(["timed_out"]);
});

test("stops a run that is silent for long enough, counted from its last sign of life", () => {
  const { clock, watchdog, reasons } = watch({ runMs: 600 * MINUTE, silenceMs: 10 * MINUTE });
  clock.advance(9 * MINUTE);
  watchdog.progressed({ waiting: false });
  clock.advance(9 * MINUTE);
  expect(reasons()).toEqual([]);
  clock.advance(MINUTE);
  expect(reasons()).toEqual(["stalled"]);
});

test("a run that waits for a person is not silent; once answered it is watched again", () => {
  const { clock, watchdog, reasons } = watch({ runMs: 600 * MINUTE, silenceMs: 10 * MINUTE });
  watchdog.progressed({ waiting: true });
  clock.advance(300 * MINUTE);
  expect(reasons()).toEqual([]);
  watchdog.progressed({ waiting: false });
  clock.advance(20 * MINUTE);
  expect(reasons()).toEqual(["stalled"]);
});

test("nothing is stopped once the run is over", () => {
  const { clock, watchdog, reasons } = watch({ runMs: MINUTE, silenceMs: MINUTE });
  watchdog[Symbol.dispose]();
  clock.advance(10 * MINUTE);
  expect(reasons()).toEqual([]);
});
