import type { EffectPayload } from "../contract/effect.ts";
import type { FailureReason, RunOutcome } from "../contract/run.ts";
import type { TaskStatus } from "../contract/task.ts";
import type { BreakerVerdict } from "./breaker.ts";

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

/**
 * What a failure calls for. `again`: another attempt after a wait. `resume`: another one in the same session. `wait`: the
 * same attempt in the same session, later. `wait_if_told`: that, if somebody said until when, else `give_up`: no attempt
 * would help.
 */
type Remedy = "again" | "resume" | "wait" | "wait_if_told" | "give_up";

interface Treatment {
  readonly remedy: Remedy;
  /** What it says of the agent that did the work, and of the stage, to their circuit breakers. */
  readonly worker: BreakerVerdict;
  readonly stage: BreakerVerdict;
}

/**
 * The one place that says what follows from a failure. Waiting, for a provider, a forge or a budget, uses up no attempt and
 * says nothing to a breaker. `fatal` is what the next task would meet in the same way, whichever it is.
 */
const treatments: Readonly<Record<FailureReason, Treatment>> = {
  agent_error: { remedy: "again", worker: "failure", stage: "failure" },
  agent_missing: { remedy: "give_up", worker: "fatal", stage: "neutral" },
  auth: { remedy: "give_up", worker: "fatal", stage: "neutral" },
  network: { remedy: "again", worker: "failure", stage: "neutral" },
  overloaded: { remedy: "wait", worker: "neutral", stage: "neutral" },
  usage_limit: { remedy: "wait", worker: "neutral", stage: "neutral" },
  budget: { remedy: "wait_if_told", worker: "neutral", stage: "neutral" },
  memory: { remedy: "again", worker: "neutral", stage: "failure" },
  processes: { remedy: "again", worker: "neutral", stage: "failure" },
  permission_denied: { remedy: "give_up", worker: "failure", stage: "failure" },
  timed_out: { remedy: "again", worker: "failure", stage: "failure" },
  stalled: { remedy: "again", worker: "failure", stage: "failure" },
  check_failed: { remedy: "resume", worker: "success", stage: "failure" },
  no_change: { remedy: "give_up", worker: "success", stage: "neutral" },
  setup_failed: { remedy: "again", worker: "neutral", stage: "neutral" },
  isolation_missing: { remedy: "give_up", worker: "neutral", stage: "neutral" },
  isolation_failed: { remedy: "again", worker: "neutral", stage: "neutral" },
  image_failed: { remedy: "wait", worker: "neutral", stage: "neutral" },
  workspace_failed: { remedy: "again", worker: "neutral", stage: "neutral" },
  unreachable: { remedy: "wait", worker: "neutral", stage: "neutral" },
  lost: { remedy: "again", worker: "failure", stage: "neutral" },
};

export interface RunFacts {
  readonly attempt: number;
  readonly attemptMax: number;
  readonly sessionId: string | null;
  /** Whether the stage is to change the tree; then an unchanged one is a failure. */
  readonly yieldsCommit: boolean;
  /** When the next attempt may begin, by our backoff. */
  readonly backoffUntil: number;
  /** Until when to wait for what somebody else has to mend and said nothing of. */
  readonly outageUntil: number;
  /** Until when the account of the run's agent serves nobody; null: it serves. */
  readonly accountHeldUntil: number | null;
  /** Whether another agent may go on with the task while this one is at its usage limit. */
  readonly mayHandOver: boolean;
}

/** Decides what follows a run's outcome. Effects are for the caller to add: this decides states, not texts. */
export function nextStep(outcome: RunOutcome, run: RunFacts): NextStep {
  switch (outcome.status) {
    case "succeeded":
      return ended("succeeded", null, null);
    case "no_change":
      if (!run.yieldsCommit) return ended("succeeded", null, null);
      return afterFailure("no_change", "The agent ended without changing anything.", null, run);
    case "cancelled":
      if (outcome.by !== "shutdown") return ended("cancelled", outcome.by, outcome.message);
      return again("restart", outcome.message, null, { keepsAttempt: true, resumeSessionId: run.sessionId });
    case "failed":
      return afterFailure(outcome.reason, outcome.message, outcome.retryAt, run);
  }
}

/** What a run's outcome says of its agent (`worker`) and of its stage. */
export function verdictsOf(outcome: RunOutcome, { yieldsCommit }: Pick<RunFacts, "yieldsCommit">): Pick<Treatment, "worker" | "stage"> {
  switch (outcome.status) {
    case "succeeded":
      return { worker: "success", stage: "success" };
    case "no_change":
      return yieldsCommit ? treatments.no_change : { worker: "success", stage: "success" };
    case "cancelled":
      return { worker: "neutral", stage: "neutral" };
    case "failed":
      return treatments[outcome.reason];
  }
}

function afterFailure(reason: FailureReason, message: string, retryAt: number | null, run: RunFacts): NextStep {
  const { remedy } = treatments[reason];
  if (remedy === "wait" || (remedy === "wait_if_told" && retryAt !== null)) {
    return again(reason, message, waitUntil(reason, retryAt, run), { keepsAttempt: true, resumeSessionId: run.sessionId });
  }
  const givesUp = remedy === "give_up" || remedy === "wait_if_told";
  if (givesUp || run.attempt >= run.attemptMax) return ended("failed", reason, message);
  return again(reason, message, Math.max(retryAt ?? 0, run.backoffUntil), {
    keepsAttempt: false,
    resumeSessionId: remedy === "resume" ? run.sessionId : null,
  });
}

/** Null: at once, because another agent may have it; whether it has is for the dispatcher to see. */
function waitUntil(reason: FailureReason, retryAt: number | null, run: RunFacts): number | null {
  if (reason === "usage_limit" && run.mayHandOver) return null;
  const told = Math.max(retryAt ?? 0, run.accountHeldUntil ?? 0);
  return told > 0 ? told : run.outageUntil;
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
