import fc from "fast-check";
import { expect, test } from "vitest";
import type { RunId } from "../contract/ids.ts";
import { closedBreaker, open, type Breaker } from "./breaker.ts";
import { Gates, type GateFacts, type Lane, type LaneRequest } from "./gates.ts";
import type { Seats } from "./seats.ts";
import { freshAccount, noteOverload, noteUsageLimit } from "./governor.ts";

const NOW = new Date(2026, 0, 5, 12).getTime();
const limits = { failures: 1, coolDownMs: 60_000, coolDownMaxMs: 60_000 };
const opened = open(closedBreaker, limits, NOW - 1000);
const cooled = open(closedBreaker, limits, NOW - 60_000);
const limited = noteUsageLimit(freshAccount, NOW + 3_600_000, NOW, () => 0);
const run = (number: number): RunId => `run_${number}`;
const implement: Lane = { workflow: "issue", workflowId: 1, stage: "implement", sessionAgent: null, needs: [] };

function gatesOf(facts: Partial<GateFacts>): Gates {
  const none = { circuits: new Map(), accounts: new Map(), running: new Map(), seats: new Map() };
  // One account an agent, unless their names begin with the same letter.
  const accountOf = (agent: string) => (agent === "unknown" ? undefined : agent.slice(0, 1));
  const pools = { sizeOf: () => Infinity, taken: new Map<string, number>() };
  const unlimited = { pools, rateOf: () => undefined, isUnlimited: true };
  return new Gates({ now: NOW, ...none, ...unlimited, accountOf, budgetHold: () => undefined, runningMax: 10, ...facts });
}
const request = (agents: readonly string[], lane = implement, seats: readonly string[] = []): LaneRequest => ({
  projectId: "project_1",
  key: JSON.stringify([lane, agents, seats]),
  lane,
  agents: agents.map((name) => ({ name, seats })),
  pools: [],
});
const one = (name: string, ...seats: string[]) => ({ name, seats });
const circuits = (...all: [string, Breaker][]) => ({ circuits: new Map(all) });

test("where nothing is held up the wanted agent starts", () => {
  const gates = gatesOf({});
  expect(gates.areOpen).toBe(true);
  expect(gates.pass(request(["a", "b"]))).toEqual({ agent: "a", account: "a", trials: [], seats: [], pools: [], rates: [] });
  expect(gates.nextChangeAt()).toBeUndefined();
});

test("an open circuit holds up what it stands before, and nothing else", () => {
  const plan = { ...implement, workflow: "issue-plan", stage: "plan" };
  const held = (gates: Gates) =>
    [request(["a"]), request(["b"]), request(["a"], plan), request(["b"], plan)].map((one) => "hold" in gates.pass(one));
  expect(held(gatesOf(circuits(["system", opened])))).toEqual([true, true, true, true]);
  expect(held(gatesOf(circuits(["worker:a", opened])))).toEqual([true, false, true, false]);
  expect(held(gatesOf(circuits(["stage:issue.implement", opened])))).toEqual([true, true, false, false]);
  const gates = gatesOf(circuits(["worker:a", opened]));
  expect([gates.areOpen, gates.nextChangeAt()]).toEqual([false, NOW + 59_000]);
  expect(gates.pass(request(["a"]))).toEqual({
    hold: { reason: "circuit_open", message: "Circuit worker:a is open until 2026-01-05 12:00.", until: NOW + 59_000 },
  });
});

test("of circuits whose cool-down is over one trial starts for all of them, and then nothing", () => {
  const gates = gatesOf(circuits(["system", cooled], ["worker:a", cooled]));
  const passage = gates.pass(request(["a"]));
  expect(passage).toEqual({ agent: "a", account: "a", trials: ["system", "worker:a"], seats: [], pools: [], rates: [] });
  if ("agent" in passage) gates.begin(passage, run(1));
  expect(gates.pass(request(["b"]))).toEqual({
    hold: { reason: "circuit_open", message: "Circuit system waits for its trial.", until: null },
  });
});

test("an agent at its usage limit, or with an open circuit, hands over to the next one that may start", () => {
  const accounts = new Map([["a", limited]]);
  expect(gatesOf({ accounts }).pass(request(["a", "also-a", "b"]))).toMatchObject({ agent: "b" });
  expect(gatesOf(circuits(["worker:a", opened])).pass(request(["a", "b"]))).toMatchObject({ agent: "b" });
  expect(gatesOf({ accounts }).pass(request(["a", "unknown"]))).toMatchObject({ hold: { reason: "usage_limit", until: NOW + 3_600_000 } });
  const both = { accounts, ...circuits(["worker:b", opened]) };
  expect(gatesOf(both).pass(request(["a", "b"]))).toMatchObject({ hold: { reason: "usage_limit", until: NOW + 59_000 } });
});

test("an agent whose provider is overloaded hands over to nobody: it is served again in a moment", () => {
  const accounts = new Map([["a", noteOverload(freshAccount, 4, NOW, () => 0)]]);
  expect(gatesOf({ accounts }).pass(request(["a", "b"]))).toMatchObject({ hold: { reason: "overloaded", until: NOW + 10_000 } });
});

test("a task goes on with the agent of its session, as long as that is one of the project's", () => {
  const lane = { ...implement, sessionAgent: "b" };
  expect(gatesOf({}).pass(request(["a", "b"], lane))).toMatchObject({ agent: "b" });
  expect(gatesOf({}).pass(request(["a", "c"], lane))).toMatchObject({ agent: "a" });
  expect(gatesOf({ accounts: new Map([["b", limited]]) }).pass(request(["a", "b"], lane))).toMatchObject({ agent: "a" });
});

test("a task whose agents are all gone from the configuration starts, and fails where it can be seen", () => {
  expect(gatesOf({}).pass(request(["unknown"]))).toEqual({ agent: "unknown", account: "", trials: [], seats: [], pools: [], rates: [] });
});

const seatsOf = (all: Record<string, [taken: number, max: number]>): Seats =>
  new Map(Object.entries(all).map(([kind, [taken, max]]) => [kind, { taken, max, what: `${kind}s`, setting: `max.${kind}` }]));

test("who finds no seat waits for one, and hands over to nobody", () => {
  const gates = gatesOf({ seats: seatsOf({ small: [1, 2], big: [1, 1] }) });
  expect(gates.areOpen).toBe(false);
  const hold = { reason: "no_seat", message: "1 bigs are at work, and max.big allows 1.", until: null };
  const two: LaneRequest = { ...request([]), agents: [one("a", "big"), one("b", "small")] };
  expect(gates.pass(two)).toEqual({ hold });
  expect(gates.pass(request(["unknown"], implement, ["big"]))).toEqual({ hold });
  expect(gates.pass(request(["a"], implement, ["small", "big"]))).toEqual({ hold });
  const passage = gates.pass(request(["a"], implement, ["small"]));
  expect(passage).toEqual({ agent: "a", account: "a", trials: [], seats: ["small"], pools: [], rates: [] });
  if ("agent" in passage) gates.begin(passage, run(1));
  expect(gates.pass(request(["a"], implement, ["small"]))).toMatchObject({ hold: { reason: "no_seat" } });
});

test("however many want to start, no kind of seats has more taken than there are, and none that is free is refused", () => {
  const kinds = fc.subarray(["x", "y", "z"]);
  const wishes = fc.array(kinds, { maxLength: 40 });
  fc.assert(
    fc.property(wishes, fc.nat(5), fc.nat(5), (all, x, y) => {
      const gates = gatesOf({ seats: seatsOf({ x: [0, x], y: [1, y] }) });
      const taken: Record<string, number> = { x: 0, y: 1, z: 0 };
      const max: Record<string, number> = { x, y, z: Infinity };
      for (const [index, seats] of all.entries()) {
        const passage = gates.pass(request(["a"], implement, seats));
        const isFree = seats.every((kind) => (taken[kind] ?? 0) < (max[kind] ?? 0));
        expect("agent" in passage).toBe(isFree);
        if ("hold" in passage) continue;
        gates.begin(passage, run(index));
        for (const kind of seats) taken[kind] = (taken[kind] ?? 0) + 1;
      }
      expect([taken["x"], taken["y"]].every((count, at) => (count ?? 0) <= Math.max([x, y][at] ?? 0, at))).toBe(true);
    }),
  );
});

test("what the money does not allow is asked anew after each start", () => {
  let left = 1;
  const hold = { reason: "budget", message: "used up", until: NOW + 5 } as const;
  const gates = gatesOf({ budgetHold: () => (left > 0 ? undefined : hold) });
  const passage = gates.pass(request(["a"]));
  expect(passage).toMatchObject({ agent: "a" });
  left = 0;
  if ("agent" in passage) gates.begin(passage, run(1));
  expect(gates.pass(request(["a"]))).toEqual({ hold });
  expect(gates.nextChangeAt()).toBe(NOW + 5);
});

test("however many want to start, an account never has more than it may, and a half-open circuit one trial", () => {
  const agents = fc.constantFrom("a1", "a2", "b1", "c1");
  const lanes = fc.constantFrom<Lane>(implement, { ...implement, stage: "review" }, { ...implement, sessionAgent: "b1" });
  const wish = fc.record({ agents: fc.uniqueArray(agents, { minLength: 1, maxLength: 3 }), lane: lanes });
  const halves = fc.subarray(["system", "worker:a1", "worker:b1", "stage:issue.implement", "stage:issue.review"]);
  fc.assert(
    fc.property(fc.array(wish, { maxLength: 30 }), halves, fc.integer({ min: 2, max: 20 }), fc.nat(3), (wishes, half, ranWith, before) => {
      const slowed = { ...noteOverload(freshAccount, ranWith, NOW, () => 0), pausedUntil: null };
      const gates = gatesOf({
        ...circuits(...half.map((id): [string, Breaker] => [id, cooled])),
        accounts: new Map([["a", slowed]]),
        running: new Map([["a", before]]),
      });
      const started: { account: string; trials: readonly string[] }[] = [];
      for (const [index, { agents: order, lane }] of wishes.entries()) {
        const passage = gates.pass(request(order, lane));
        if ("hold" in passage) continue;
        gates.begin(passage, run(index));
        started.push(passage);
      }
      const ofA = started.filter(({ account }) => account === "a").length;
      expect(ofA).toBeLessThanOrEqual(Math.max(0, Math.floor(ranWith / 2) - before));
      const trials = started.flatMap((one) => one.trials);
      expect(new Set(trials).size).toBe(trials.length);
      if (half.includes("system")) expect(started.length).toBeLessThanOrEqual(1);
    }),
  );
});
