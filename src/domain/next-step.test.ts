import { expect, test } from "vitest";
import { FailureReason, type RunOutcome } from "../contract/run.ts";
import { nextStep, verdictsOf, type NextStep, type RunFacts } from "./next-step.ts";

const NOW = 1_000_000;
const facts: RunFacts = {
  attempt: 1,
  attemptMax: 3,
  sessionId: "s-1",
  yieldsCommit: true,
  backoffUntil: NOW + 10_000,
  outageUntil: NOW + 60_000,
  accountHeldUntil: null,
  mayHandOver: false,
  nextStage: null,
  needsApproval: false,
  issue: null,
  loop: null,
};
const none = {
  stage: null,
  iteration: null,
  reason: null,
  message: null,
  runAfter: null,
  keepsAttempt: false,
  resumeSessionId: null,
  effects: [],
};
const failed = (reason: FailureReason, retryAt: number | null = null): RunOutcome => ({
  status: "failed",
  reason,
  message: "why",
  proof: null,
  retryAt,
});
const proof = { baseCommit: "a", headCommit: "b", changes: [], checks: [] };

test("a proven change succeeds; a report succeeds without one", () => {
  expect(nextStep({ status: "succeeded", proof, report: "" }, facts)).toEqual({ ...none, status: "succeeded" });
  expect(nextStep({ status: "no_change", report: "a plan" }, { ...facts, yieldsCommit: false })).toEqual({
    ...none,
    status: "succeeded",
  });
});

test("a stage that is done leads to the next, or waits for a person first", () => {
  const succeeded = { status: "succeeded", proof, report: "" } as const;
  expect(nextStep(succeeded, { ...facts, nextStage: "review" })).toEqual({ ...none, status: "queued", stage: "review", iteration: 1 });
  const report = { status: "no_change", report: "a plan" } as const;
  const approval = { ...facts, yieldsCommit: false, nextStage: "work", needsApproval: true };
  expect(nextStep(report, approval)).toMatchObject({ status: "blocked", reason: "approval", stage: null });
});

test("an iteration whose checks fail leads to the next, until the loop has had its iterations, gets nowhere, or takes too long", () => {
  const loop = { iteration: 2, iterations: 5, unchanged: 0, unchangedMax: 3, isTimeUp: false };
  const after = (change: Partial<typeof loop>, outcome = failed("check_failed")) =>
    nextStep(outcome, { ...facts, loop: { ...loop, ...change } });
  expect(after({})).toEqual({ ...none, status: "queued", reason: "iteration", message: "why", iteration: 3 });
  expect(after({}, { status: "no_change", report: "" })).toMatchObject({ status: "queued", iteration: 3 });
  expect(after({ iteration: 5 })).toMatchObject({ status: "failed", reason: "iterations" });
  expect(after({ unchanged: 3 })).toMatchObject({ status: "failed", reason: "no_progress" });
  expect(after({ isTimeUp: true })).toMatchObject({ status: "failed", reason: "timed_out" });
  // What is not the checks' word is an attempt at the same iteration, as ever.
  expect(after({}, failed("agent_error"))).toMatchObject({ status: "queued", iteration: null, keepsAttempt: false });
});

test("an agent that was to change something and did not has failed, once", () => {
  expect(nextStep({ status: "no_change", report: "nothing to do" }, facts)).toMatchObject({ status: "failed", reason: "no_change" });
});

test("a cancelled run cancels its task; one that the daemon's stop cut short goes on in its session without using an attempt", () => {
  expect(nextStep({ status: "cancelled", by: "source", message: "closed" }, facts)).toEqual({
    ...none,
    status: "cancelled",
    reason: "source",
    message: "closed",
  });
  expect(nextStep({ status: "cancelled", by: "shutdown", message: "stop" }, facts)).toEqual({
    ...none,
    status: "queued",
    reason: "restart",
    message: "stop",
    keepsAttempt: true,
    resumeSessionId: "s-1",
  });
});

/** What each reason calls for while attempts are left, and when none is. */
const again = { first: { status: "queued", runAfter: NOW + 10_000, resumeSessionId: null, keepsAttempt: false }, last: "failed" } as const;
const wait = { first: { status: "queued", runAfter: NOW + 60_000, resumeSessionId: "s-1", keepsAttempt: true }, last: "queued" } as const;
const giveUp = { first: { status: "failed" }, last: "failed" } as const;
const ask = { first: { status: "blocked", resumeSessionId: "s-1", keepsAttempt: true }, last: "blocked" } as const;
const expected: Record<FailureReason, { first: Partial<NextStep>; last: NextStep["status"] }> = {
  agent_error: again,
  agent_missing: giveUp,
  auth: giveUp,
  network: again,
  overloaded: wait,
  usage_limit: wait,
  budget: giveUp,
  memory: again,
  processes: again,
  permission_denied: giveUp,
  timed_out: again,
  stalled: again,
  check_failed: { first: { ...again.first, resumeSessionId: "s-1" }, last: "failed" },
  no_change: giveUp,
  siblings_conflict: wait,
  no_progress: giveUp,
  iterations: giveUp,
  base_conflict: ask,
  setup_failed: again,
  isolation_missing: giveUp,
  isolation_failed: again,
  image_failed: wait,
  workspace_failed: again,
  unreachable: wait,
  lost: again,
  host_lost: { ...again, first: { ...again.first, resumeSessionId: "s-1" } },
};

test.each(FailureReason.options)("a failure by %s has its remedy while attempts are left, and its end when none is", (reason) => {
  const { first, last } = expected[reason];
  expect(nextStep(failed(reason), facts)).toMatchObject({ ...first, reason, message: "why" });
  expect(nextStep(failed(reason), { ...facts, attempt: 3 }).status).toBe(last);
});

test("a time that somebody named is waited for: the provider of one run, that of another on its account, the budget of a day", () => {
  expect(nextStep(failed("usage_limit", NOW + 5_000_000), facts).runAfter).toBe(NOW + 5_000_000);
  expect(nextStep(failed("usage_limit"), { ...facts, accountHeldUntil: NOW + 9_000_000 }).runAfter).toBe(NOW + 9_000_000);
  expect(nextStep(failed("overloaded", NOW + 5), { ...facts, accountHeldUntil: NOW + 20_000 }).runAfter).toBe(NOW + 20_000);
  expect(nextStep(failed("agent_error", NOW + 20_000), facts).runAfter).toBe(NOW + 20_000);
  expect(nextStep(failed("agent_error", NOW + 1), facts).runAfter).toBe(NOW + 10_000);
  expect(nextStep(failed("budget", NOW + 7_000_000), { ...facts, attempt: 3 })).toEqual({
    ...none,
    status: "queued",
    reason: "budget",
    message: "why",
    runAfter: NOW + 7_000_000,
    keepsAttempt: true,
    resumeSessionId: "s-1",
  });
});

test("a task whose agent is at its usage limit waits for no time where another agent may go on with it", () => {
  const next = nextStep(failed("usage_limit", NOW + 5_000_000), { ...facts, mayHandOver: true });
  expect(next).toMatchObject({ status: "queued", reason: "usage_limit", runAfter: null, keepsAttempt: true, resumeSessionId: "s-1" });
  expect(nextStep(failed("overloaded"), { ...facts, mayHandOver: true }).runAfter).toBe(NOW + 60_000);
});

test("what a failure says to the breakers of its agent and its stage: waiting says nothing, a good agent with bad work is good", () => {
  const said = (reason: FailureReason) => {
    const { worker, stage } = verdictsOf(failed(reason), { ...facts, isPerson: false, isLoop: false });
    return [worker, stage];
  };
  const silent = FailureReason.options.filter((reason) => said(reason).every((verdict) => verdict === "neutral"));
  const waits = FailureReason.options.filter((reason) => nextStep(failed(reason, NOW + 1), { ...facts, attempt: 3 }).keepsAttempt);
  expect(waits.filter((reason) => !silent.includes(reason))).toEqual([]);
  expect(said("check_failed")).toEqual(["success", "failure"]);
  expect(said("auth")).toEqual(["fatal", "neutral"]);
  const { worker, stage } = verdictsOf({ status: "succeeded", proof, report: "" }, { ...facts, isPerson: false, isLoop: false });
  expect([worker, stage]).toEqual(["success", "success"]);
  expect(verdictsOf({ status: "cancelled", by: "user", message: "" }, { ...facts, isPerson: false, isLoop: false })).toEqual({
    worker: "neutral",
    stage: "neutral",
  });
});

test("checks that are not green after an iteration say nothing of its stage, however many loops there are", () => {
  const of = { ...facts, isPerson: false, isLoop: true };
  expect(verdictsOf(failed("check_failed"), of)).toEqual({ worker: "success", stage: "neutral" });
  expect(verdictsOf(failed("stalled"), of)).toMatchObject({ worker: "failure", stage: "failure" });
});

test("a person who refuses says nothing to a breaker; what is wrong with their work does", () => {
  const said = (reason: FailureReason, isPerson: boolean) => {
    const { worker, stage } = verdictsOf(failed(reason), { ...facts, isPerson, isLoop: false });
    return [worker, stage];
  };
  expect(said("permission_denied", true)).toEqual(["neutral", "neutral"]);
  expect(said("permission_denied", false)).toEqual(["failure", "failure"]);
  expect(said("check_failed", true)).toEqual(["success", "failure"]);
});
