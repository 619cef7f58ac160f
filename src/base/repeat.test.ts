import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { repeat } from "./repeat.ts";

test("works again and again, never overlapping itself, and goes on after a throw", async () => {
  const clock = new ManualClock();
  const failures: unknown[] = [];
  let calls = 0;
  let release = () => {};
  const work = () => {
    calls += 1;
    if (calls === 2) throw new Error("second");
    return new Promise<void>((resolve) => (release = resolve));
  };
  const repeating = repeat(
    clock,
    () => 100,
    work,
    (thrown) => failures.push(thrown),
  );
  clock.advance(100);
  clock.advance(1000);
  expect(calls).toBe(1);
  release();
  await turn();
  clock.advance(100);
  await turn();
  clock.advance(100);
  expect([calls, failures]).toEqual([3, [new Error("second")]]);
  const stopped = repeating.stop();
  release();
  await stopped;
  clock.advance(1000);
  expect(calls).toBe(3);
});

test("stopping before the first time, and twice, is fine", async () => {
  const clock = new ManualClock();
  let calls = 0;
  const repeating = repeat(
    clock,
    () => 100,
    () => void (calls += 1),
    () => {},
  );
  await repeating.stop();
  await repeating.stop();
  clock.advance(1000);
  expect(calls).toBe(0);
});
