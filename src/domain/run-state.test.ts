import { expect, test } from "vitest";
import { newFacts, observe, type Observation, type RunFacts } from "./run-facts.ts";
import { deriveState, nextLookAt, remedyFor } from "./run-state.ts";

const MINUTE = 60_000;
const limits = { silenceMs: 10 * MINUTE, repeatMax: 5 };

/** An observation without its time, and the minutes it is seen at. */
type Seen = [number, Observation extends infer One ? (One extends Observation ? Omit<One, "at"> : never) : never];

function factsOf(...seen: Seen[]): RunFacts {
  return seen.reduce((facts, [minute, one]) => observe(facts, { ...one, at: minute * MINUTE }), newFacts(0));
}

function stateAt(minute: number, ...seen: Seen[]) {
  const facts = factsOf(...seen);
  const state = deriveState(facts, limits, minute * MINUTE);
  return { ...state, remedy: remedyFor(state, facts, limits, minute * MINUTE).do };
}

const called = (tool: string, input = "", id = tool): Seen[1] => ({ kind: "tool_called", id, tool, input });
const output: Seen[1] = { kind: "output" };

test("an agent that says something works; the longer it says nothing, the less sure that is", () => {
  expect(stateAt(1, [1, output])).toMatchObject({ state: "running", confidence: 1, remedy: "nothing", evidence: ["output 0 s ago"] });
  expect(stateAt(5, [1, output])).toMatchObject({ state: "running", confidence: 0.6 });
});

test("silence for half of the limit is stuck, told once; for all of it the end", () => {
  const silent = {
    state: "stuck",
    since: MINUTE,
    confidence: 0.5,
    evidence: ["no output, hook, processor time or changed file for 5 min"],
  };
  expect(stateAt(6, [1, output])).toEqual({ ...silent, remedy: "nudge" });
  expect(stateAt(6.5, [1, output], [6, { kind: "nudged" }])).toMatchObject({ state: "stuck", remedy: "nothing" });
  expect(stateAt(11, [1, output], [6, { kind: "nudged" }])).toMatchObject({ state: "stuck", confidence: 1, remedy: "stop" });
  expect(stateAt(7, [1, output], [6, { kind: "nudged" }], [6.5, output])).toMatchObject({ state: "running", remedy: "nothing" });
});

test.each<[string, Seen[1]]>([
  ["a hook", { kind: "hook", category: "tool", name: "PostToolUse", waits: null }],
  ["processor time", { kind: "look", busyShare: 0.5, startedAts: [] }],
  ["a changed file", { kind: "files", changedAt: 9 * MINUTE }],
])("%s is a sign of work as good as output", (_, sign) => {
  expect(stateAt(10, [1, output], [9, sign])).toMatchObject({ state: "running", remedy: "nothing" });
});

test("a look that finds nothing but idling is no sign", () => {
  expect(stateAt(10, [1, output], [9, { kind: "look", busyShare: 0.01, startedAts: [0] }])).toMatchObject({ state: "stuck" });
});

test("a silent command of the agent's is work, however long it takes, as long as it lives", () => {
  const seen: Seen[] = [
    [0.5, output],
    [1, called("Bash", "npm test")],
  ];
  expect(stateAt(50, ...seen, [49, { kind: "look", busyShare: 0, startedAts: [0, MINUTE + 20] }])).toMatchObject({
    state: "running",
    confidence: 0.8,
    evidence: ["Bash has a living process, for 49 min", "output 49 min ago"],
    remedy: "nothing",
  });
  // The agent itself and its helpers were there before it called the tool.
  expect(stateAt(50, ...seen, [49, { kind: "look", busyShare: 0, startedAts: [0] }])).toMatchObject({ state: "stuck", remedy: "stop" });
});

test("a command that an agent started without a word is work too; the agent itself, which said something just after its start, is not", () => {
  const look = (...startedAts: number[]): Seen => [49, { kind: "look", busyShare: 0, startedAts }];
  expect(stateAt(50, [1, output], look(0, MINUTE + 20))).toMatchObject({
    state: "running",
    evidence: ["what it does has a living process, for 49 min", expect.any(String)],
  });
  expect(stateAt(50, [1, output], look(MINUTE - 100))).toMatchObject({ state: "stuck" });
  const prepared: Seen[] = [
    [0, { kind: "own_work", what: "the set-up" }],
    [0.9, { kind: "own_work", what: null }],
  ];
  expect(stateAt(50, ...prepared, [1, output], look(MINUTE - 100))).toMatchObject({ state: "stuck" });
});

test("who waits for a person waits as long as it takes; once answered its silence counts again", () => {
  const asks: Seen = [1, { kind: "question_asked", id: "q", tool: "Bash" }];
  expect(stateAt(600, asks)).toMatchObject({ state: "waiting_permission", since: MINUTE, confidence: 1, remedy: "nothing" });
  expect(stateAt(600, [1, { kind: "question_asked", id: "q", tool: "AskUserQuestion" }])).toMatchObject({ state: "waiting_answer" });
  expect(nextLookAt(factsOf(asks), limits, 2 * MINUTE)).toBeUndefined();
  expect(stateAt(601, asks, [600, { kind: "question_answered", id: "q" }])).toMatchObject({ state: "running" });
  expect(stateAt(606, asks, [600, { kind: "question_answered", id: "q" }])).toMatchObject({ state: "stuck" });
});

test("a hook that waits counts only where the agent prints nothing of what it does", () => {
  const waits: Seen = [1, { kind: "hook", category: "state", name: "PermissionRequest", waits: "permission" }];
  const goesOn: Seen = [2, { kind: "hook", category: "tool", name: "PostToolUse", waits: null }];
  expect(stateAt(3, waits)).toMatchObject({ state: "waiting_permission", confidence: 0.8 });
  expect(stateAt(3, waits, goesOn)).toMatchObject({ state: "running" });
  expect(stateAt(3, [0.5, output], waits)).toMatchObject({ state: "running" });
});

test("an agent that tries again is rate limited until it works again, or tries no more", () => {
  const retries: Seen[] = [1, 2].map((minute) => [minute, { kind: "retrying", attempt: minute, message: "overloaded (529)" }]);
  expect(stateAt(3, ...retries)).toMatchObject({ state: "rate_limited", since: MINUTE, confidence: 0.95, remedy: "nothing" });
  expect(stateAt(3, [1, { kind: "retrying", attempt: 1, message: "no answer" }])).toMatchObject({ state: "rate_limited", confidence: 0.6 });
  expect(stateAt(3, ...retries, [2.5, called("Bash")])).toMatchObject({ state: "running" });
  expect(stateAt(12, ...retries)).toMatchObject({ state: "stuck", remedy: "stop" });
});

test("the same again and again is stuck, be it one action or a round of three; told once, and then ended", () => {
  const calls = (from: number, ...inputs: string[]): Seen[] =>
    inputs.map((input, index) => [from + index / 100, called("Bash", input, `${from} ${index}`)]);
  const five = (...round: string[]) => Array.from({ length: 5 }, () => round).flat();
  const stuck = { state: "stuck", since: MINUTE, confidence: 0.8, remedy: "nudge" };
  expect(stateAt(2, ...calls(1, ...five("ls")))).toMatchObject({ ...stuck, evidence: ["it did the same 5 times in a row: Bash ls"] });
  expect(stateAt(2, ...calls(1, ...five("edit", "test", "diff")))).toMatchObject(stuck);
  expect(stateAt(2, ...calls(1, ...five("ls").slice(1)))).toMatchObject({ state: "running" });
  expect(stateAt(2, ...calls(1, ...five("ls").slice(1), "pwd", "ls"))).toMatchObject({ state: "running" });
  const nudged: Seen[] = [...calls(1, ...five("ls")), [2, { kind: "nudged" }]];
  expect(stateAt(3, ...nudged, ...calls(2.5, "ls"))).toMatchObject({ state: "running", remedy: "nothing" });
  expect(stateAt(3, ...nudged, ...calls(2.5, ...five("ls")))).toMatchObject({ state: "stuck", remedy: "stop" });
});

test("while commands of ours run nobody is stuck", () => {
  expect(stateAt(500, [0, { kind: "own_work", what: "the set-up" }])).toMatchObject({
    state: "running",
    evidence: ["Drover runs the set-up"],
    remedy: "nothing",
  });
});

const word = (reason: Extract<Observation, { kind: "turn_ended" }>["reason"], retryAt: number | null = null): Seen => [
  1,
  { kind: "turn_ended", reason, message: "it said so", retryAt },
];
const gone = (reason: Extract<Observation, { kind: "ended" }>["reason"], exitCode: number | null): Seen => [
  2,
  { kind: "ended", reason, exitCode },
];

test.each<[string, Seen[], string]>([
  ["its last word and exit 0", [word("completed"), gone("completed", 0)], "finished"],
  ["a failure as its last word", [word("auth"), gone("auth", 1)], "finished"],
  ["no last word", [gone("agent_error", 1)], "crashed"],
  ["a signal", [gone("agent_error", null)], "crashed"],
  ["no trace", [gone("lost", null)], "crashed"],
  ["a usage limit", [word("usage_limit", 9e12), gone("usage_limit", 1)], "usage_limit"],
  ["a usage limit, and lives still", [word("usage_limit", 9e12)], "usage_limit"],
  ["an overload that it gave up on", [word("overloaded"), gone("overloaded", 1)], "rate_limited"],
])("an agent that ended with %s is that", (_, seen, state) => {
  expect(stateAt(30, ...seen)).toMatchObject({ state, remedy: "nothing" });
});

test("a state that goes on keeps its beginning, and what time alone changes is looked at in time", () => {
  const facts = factsOf([1, output]);
  const before = deriveState(facts, limits, 2 * MINUTE);
  expect(deriveState(factsOf([1, output], [3, output]), limits, 4 * MINUTE, before)).toMatchObject({ state: "running", since: 2 * MINUTE });
  expect([1, 6, 11].map((minute) => nextLookAt(facts, limits, minute * MINUTE))).toEqual([6 * MINUTE, 11 * MINUTE, undefined]);
});
