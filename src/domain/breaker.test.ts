import fc from "fast-check";
import { expect, test } from "vitest";
import type { RunId } from "../contract/ids.ts";
import { admits, beginTrial, closedBreaker, open, settle, type Breaker, type BreakerLimits, type BreakerVerdict } from "./breaker.ts";

const limits: BreakerLimits = { failures: 3, coolDownMs: 1000, coolDownMaxMs: 8000 };
const run = (number: number): RunId => `run_${number}`;
const settled = (breaker: Breaker, verdicts: readonly BreakerVerdict[], now = 0) =>
  verdicts.reduce((one, verdict, index) => settle(one, run(index), verdict, limits, now), breaker);

test("it opens at so many failures in a row; a success in between begins the count anew", () => {
  expect(settled(closedBreaker, ["failure", "failure", "success", "failure", "failure"])).toEqual({ ...closedBreaker, failures: 2 });
  expect(settled(closedBreaker, ["failure", "neutral", "failure", "failure"], 50)).toEqual({
    state: "open",
    failures: 3,
    openings: 1,
    openUntil: 1050,
    trial: null,
  });
});

test("what every further run would meet too opens it at once", () => {
  expect(settled(closedBreaker, ["fatal"]).state).toBe("open");
});

test("after its cool-down one run is let through, and nothing else until that has ended", () => {
  const opened = open(closedBreaker, limits, 0);
  expect([admits(opened, 999), admits(opened, 1000)]).toEqual(["none", "trial"]);
  const tried = beginTrial(opened, run(7));
  expect([tried.state, admits(tried, 10_000)]).toEqual(["half_open", "none"]);
  expect(settle(tried, run(7), "success", limits, 2000)).toEqual(closedBreaker);
  expect(settle(tried, run(7), "failure", limits, 2000)).toMatchObject({ state: "open", openings: 2, openUntil: 4000 });
  const untried = settle(tried, run(7), "neutral", limits, 2000);
  expect([untried.state, admits(untried, 2000)]).toEqual(["half_open", "trial"]);
});

test("a run that began before it opened neither closes it nor opens it for longer", () => {
  const opened = open(closedBreaker, limits, 0);
  for (const breaker of [opened, beginTrial(opened, run(7))]) {
    for (const verdict of ["success", "failure", "fatal", "neutral"] as const) {
      expect(settle(breaker, run(1), verdict, limits, 500)).toBe(breaker);
    }
  }
});

test("each trial that fails doubles the wait, up to the longest", () => {
  const waits: number[] = [];
  let breaker = open(closedBreaker, limits, 0);
  for (let trial = 1; trial <= 5; trial += 1) {
    const now = breaker.openUntil ?? 0;
    breaker = settle(beginTrial(breaker, run(trial)), run(trial), "failure", limits, now);
    waits.push((breaker.openUntil ?? 0) - now);
  }
  expect(waits).toEqual([2000, 4000, 8000, 8000, 8000]);
});

/** What happens around a breaker: a run wants to start, or the oldest that did ends. */
const happening = fc.oneof(
  fc.record({ kind: fc.constant("start" as const), afterMs: fc.nat(1500) }),
  fc.record({
    kind: fc.constant("end" as const),
    afterMs: fc.nat(1500),
    verdict: fc.constantFrom<BreakerVerdict>("success", "failure", "fatal", "neutral"),
  }),
);

test("whatever happens: while it is open nothing starts, while half open one run at most, and it never stays shut for good", () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
      let breaker = closedBreaker;
      let now = 0;
      let next = 0;
      const alive: RunId[] = [];
      const trials = new Set<RunId>();
      for (const one of happenings) {
        now += one.afterMs;
        if (one.kind === "start") {
          const admitted = admits(breaker, now);
          if (admitted === "none") {
            expect(breaker.state === "open" ? breaker.openUntil : alive.includes(breaker.trial as RunId)).toSatisfy(
              (held: unknown) => held === true || Number(held) > now,
            );
            continue;
          }
          const id = run(next++);
          alive.push(id);
          if (admitted === "trial") {
            trials.add(id);
            breaker = beginTrial(breaker, id);
          }
        } else {
          const id = alive.shift();
          if (id === undefined) continue;
          trials.delete(id);
          breaker = settle(breaker, id, one.verdict, limits, now);
        }
        expect(trials.size).toBeLessThanOrEqual(1);
        expect((breaker.state === "open") === (breaker.openUntil !== null)).toBe(true);
        expect(breaker.trial === null || breaker.state === "half_open").toBe(true);
        if (breaker.state === "closed") expect(breaker.failures).toBeLessThan(limits.failures);
      }
      while (alive.length > 0) breaker = settle(breaker, alive.shift() as RunId, "neutral", limits, now);
      expect(admits(breaker, now + limits.coolDownMaxMs)).not.toBe("none");
    }),
  );
});
