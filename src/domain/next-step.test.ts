import { expect, test } from "vitest";
import { FailureReason, type RunOutcome } from "../contract/run.ts";
import { nextStep, type NextStep, type RunFacts } from "./next-step.ts";

const NOW = 1_000_000;
const facts: RunFacts = { attempt: 1, attemptMax: 3, sessionId: "s-1", yieldsCommit: true, backoffUntil: NOW + 10_000 };
const none = { reason: null, message: null, runAfter: null, keepsAttempt: false, resumeSessionId: null, effects: [] };
const failed = (reason: FailureReason, retryAt: number | null = null): RunOutcome => ({
  status: "failed",
  reason,
  message: "why",
  proof: null,
  retryAt,
});
const proof = { baseCommit: "a", headCommit: "b", changes: [], checks: [] };

test("a proven change succeeds; a report succeeds without one", () => {
  expect(nextStep({ status: "succeeded", proof, report: "" }, facts, NOW)).toEqual({ ...none, status: "succeeded" });
  expect(nextStep({ status: "no_change", report: "a plan" }, { ...facts, yieldsCommit: false }, NOW)).toEqual({
    ...none,
    status: "succeeded",
  });
});

test("an agent that was to change something and did not has failed, once", () => {
  expect(nextStep({ status: "no_change", report: "nothing to do" }, facts, NOW)).toMatchObject({ status: "failed", reason: "no_change" });
});

test("a cancelled run cancels its task; one that the daemon's stop cut short goes on in its session without using an attempt", () => {
  expect(nextStep({ status: "cancelled", by: "source", message: "closed" }, facts, NOW)).toEqual({
    ...none,
    status: "cancelled",
    reason: "source",
    message: "closed",
  });
  expect(nextStep({ status: "cancelled", by: "shutdown", message: "stop" }, facts, NOW)).toEqual({
    ...none,
    status: "queued",
    reason: "restart",
    message: "stop",
    keepsAttempt: true,
    resumeSessionId: "s-1",
  });
});

/** What each reason calls for while attempts are left, and when none is. */
const expected: Record<FailureReason, { first: Partial<NextStep>; last: NextStep["status"] }> = {
  agent_error: { first: { status: "queued", runAfter: NOW + 10_000, resumeSessionId: null }, last: "failed" },
  agent_missing: { first: { status: "failed" }, last: "failed" },
  auth: { first: { status: "failed" }, last: "failed" },
  overloaded: { first: { status: "queued", runAfter: NOW + 10_000 }, last: "failed" },
  usage_limit: { first: { status: "queued", runAfter: NOW + 900_000, keepsAttempt: true, resumeSessionId: "s-1" }, last: "queued" },
  permission_denied: { first: { status: "failed" }, last: "failed" },
  timed_out: { first: { status: "queued" }, last: "failed" },
  stalled: { first: { status: "queued" }, last: "failed" },
  check_failed: { first: { status: "queued", resumeSessionId: "s-1", keepsAttempt: false }, last: "failed" },
  setup_failed: { first: { status: "queued" }, last: "failed" },
  isolation_missing: { first: { status: "failed" }, last: "failed" },
  isolation_failed: { first: { status: "queued" }, last: "failed" },
  image_failed: { first: { status: "queued", keepsAttempt: true }, last: "queued" },
  workspace_failed: { first: { status: "queued" }, last: "failed" },
  unreachable: { first: { status: "queued", runAfter: NOW + 60_000, keepsAttempt: true }, last: "queued" },
  lost: { first: { status: "queued" }, last: "failed" },
};

test.each(FailureReason.options)("a failure by %s has its remedy while attempts are left, and its end when none is", (reason) => {
  const { first, last } = expected[reason];
  expect(nextStep(failed(reason), facts, NOW)).toMatchObject({ ...first, reason, message: "why" });
  expect(nextStep(failed(reason), { ...facts, attempt: 3 }, NOW).status).toBe(last);
});

test("a time that the provider named is waited for", () => {
  expect(nextStep(failed("usage_limit", NOW + 5_000_000), facts, NOW).runAfter).toBe(NOW + 5_000_000);
  expect(nextStep(failed("overloaded", NOW + 20_000), facts, NOW).runAfter).toBe(NOW + 20_000);
  expect(nextStep(failed("overloaded", NOW + 1), facts, NOW).runAfter).toBe(NOW + 10_000);
});
