import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import type { ListedProcess } from "./process-table.ts";
import { CpuMeter } from "./usage.ts";

const entry = (pid: number, parent: number, cpuMs: number): ListedProcess => ({
  pid,
  parent,
  cpuMs,
  startTime: "1",
  group: pid,
  mark: { scope: "s", marker: "m" },
});

/** Readings a second apart, in milliseconds of processor time. */
function readings(...looks: ListedProcess[][]): number[] {
  let at = 0;
  const meter = new CpuMeter({ ...systemClock, elapsed: () => at });
  return looks.map((processes) => {
    at += 1_000;
    return Math.round((meter.read(processes) / 100) * availableParallelism() * 1_000);
  });
}

test("the first reading is 0, the next ones count what was used since", () => {
  expect(readings([entry(2, 1, 500)], [entry(2, 1, 700)], [entry(2, 1, 700)], [])).toEqual([0, 200, 0, 0]);
});

test("a new process counts with all it has used", () => {
  expect(readings([entry(2, 1, 500)], [entry(2, 1, 500), entry(3, 2, 300)])).toEqual([0, 300]);
});

test("what a child used is counted once, though its parent inherits it", () => {
  expect(readings([entry(2, 1, 500), entry(3, 2, 300)], [entry(2, 1, 850)])).toEqual([0, 50]);
});

test("when one ends whose parent is not ours, the others' use still counts", () => {
  expect(readings([entry(2, 1, 500), entry(3, 1, 100)], [entry(3, 1, 160)])).toEqual([0, 60]);
});

test("a pid used again is another process", () => {
  expect(readings([entry(2, 1, 500)], [{ ...entry(2, 1, 40), startTime: "2" }])).toEqual([0, 40]);
});

test("two readings in the same moment do not divide by nothing", () => {
  const meter = new CpuMeter({ ...systemClock, elapsed: () => 5 });
  expect([meter.read([]), meter.read([entry(2, 1, 9)])]).toEqual([0, 0]);
});
