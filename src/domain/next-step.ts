import type { EffectPayload } from "../contract/effect.ts";
import type { FailureReason, RunOutcome } from "../contract/run.ts";
import type { TaskStatus } from "../contract/task.ts";

/** What becomes of a task when one of its runs has ended. */
export interface NextStep {
  readonly status: Extract<TaskStatus, "succeeded" | "failed" | "cancelled" | "queued">;
  readonly reason: string | null;
  readonly message: string | null;
  /** When a queued one may start again; null: at once. */
  readonly runAfter: number | null;
  /** The attempt was not the task's fault and does not count. */
  readonly keepsAttempt: boolean;
  /** The session that the next run goes on with; null: a fresh one. */
  readonly resumeSessionId: string | null;
  readonly effects: readonly EffectPayload[];
}

/** What a failure calls for. `again`: another attempt after a wait. `resume`: another one in the same session. `wait`: the same attempt again, later. `give_up`: no attempt would help. */
type Remedy = "again" | "resume" | "wait" | "give_up";

const remedies: Readonly<Record<FailureReason, Remedy>> = {
  agent_error: "again",
  agent_missing: "give_up",
  auth: "give_up",
  overloaded: "again",
  usage_limit: "wait",
  permission_denied: "give_up",
  timed_out: "again",
  stalled: "again",
  check_failed: "resume",
  setup_failed: "again",
  isolation_missing: "give_up",
  isolation_failed: "again",
  image_failed: "wait",
  workspace_failed: "again",
  unreachable: "wait",
  lost: "again",
};

export interface RunFacts {
  readonly attempt: number;
  readonly attemptMax: number;
  readonly sessionId: string | null;
  /** Whether the stage is to change the tree; then an unchanged one is a failure. */
  readonly yieldsCommit: boolean;
  /** When the next attempt may begin, by our backoff. */
  readonly backoffUntil: number;
}

/** How long to wait where nobody said how long, milliseconds. */
const waitMs: Partial<Record<FailureReason, number>> = { usage_limit: 15 * 60_000, unreachable: 60_000, image_failed: 10 * 60_000 };

/** Decides what follows a run's outcome. Effects are for the caller to add: this decides states, not texts. */
export function nextStep(outcome: RunOutcome, run: RunFacts, now: number): NextStep {
  switch (outcome.status) {
    case "succeeded":
      return ended("succeeded", null, null);
    case "no_change":
      if (!run.yieldsCommit) return ended("succeeded", null, null);
      return ended("failed", "no_change", "The agent ended without changing anything.");
    case "cancelled":
      if (outcome.by !== "shutdown") return ended("cancelled", outcome.by, outcome.message);
      return again("restart", outcome.message, null, { keepsAttempt: true, resumeSessionId: run.sessionId });
    case "failed":
      return afterFailure(outcome, run, now);
  }
}

function afterFailure(outcome: Extract<RunOutcome, { status: "failed" }>, run: RunFacts, now: number): NextStep {
  const { reason, message, retryAt } = outcome;
  const remedy = remedies[reason];
  if (remedy === "wait") {
    return again(reason, message, retryAt ?? now + (waitMs[reason] ?? 0), { keepsAttempt: true, resumeSessionId: run.sessionId });
  }
  if (remedy === "give_up" || run.attempt >= run.attemptMax) return ended("failed", reason, message);
  return again(reason, message, Math.max(retryAt ?? 0, run.backoffUntil), {
    keepsAttempt: false,
    resumeSessionId: remedy === "resume" ? run.sessionId : null,
  });
}

function ended(status: "succeeded" | "failed" | "cancelled", reason: string | null, message: string | null): NextStep {
  return { status, reason, message, runAfter: null, keepsAttempt: false, resumeSessionId: null, effects: [] };
}

function again(
  reason: string,
  message: string,
  runAfter: number | null,
  { keepsAttempt, resumeSessionId }: Pick<NextStep, "keepsAttempt" | "resumeSessionId">,
): NextStep {
  return { status: "queued", reason, message, runAfter, keepsAttempt, resumeSessionId, effects: [] };
}
