import type { EffectPayload } from "../contract/effect.ts";
import type { FailureReason, RunOutcome } from "../contract/run.ts";
import type { TaskStatus } from "../contract/task.ts";
import type { BreakerVerdict } from "./breaker.ts";

/** What becomes of a task when one of its runs has ended. */
export interface NextStep {
  readonly status: Extract<TaskStatus, "succeeded" | "failed" | "cancelled" | "queued" | "blocked">;
  /** The stage that it goes on with, at its first iteration and attempt; null: the one that it is at. */
  readonly stage: string | null;
  /** The iteration that it goes on with, at its first attempt; null: the one that it is at. */
  readonly iteration: number | null;
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
 * would help. `ask`: a person has to say what to do.
 */
type Remedy = "again" | "resume" | "wait" | "wait_if_told" | "give_up" | "ask";

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
  siblings_conflict: { remedy: "wait", worker: "neutral", stage: "neutral" },
  no_progress: { remedy: "give_up", worker: "success", stage: "failure" },
  iterations: { remedy: "give_up", worker: "success", stage: "failure" },
  base_conflict: { remedy: "ask", worker: "neutral", stage: "neutral" },
  setup_failed: { remedy: "again", worker: "neutral", stage: "neutral" },
  isolation_missing: { remedy: "give_up", worker: "neutral", stage: "neutral" },
  isolation_failed: { remedy: "again", worker: "neutral", stage: "neutral" },
  image_failed: { remedy: "wait", worker: "neutral", stage: "neutral" },
  workspace_failed: { remedy: "again", worker: "neutral", stage: "neutral" },
  unreachable: { remedy: "wait", worker: "neutral", stage: "neutral" },
  lost: { remedy: "again", worker: "failure", stage: "neutral" },
  // Which of the runs it was that brought it down nobody knows: each goes on, but not for ever.
  host_lost: { remedy: "resume", worker: "neutral", stage: "neutral" },
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
  /** The stage after this one; null: it is the last. */
  readonly nextStage: string | null;
  /** Whether a person is to approve the stage's result before anything follows from it. */
  readonly needsApproval: boolean;
  /** What its agent found that a person must see, in a sentence; null: nothing, or it was not asked. */
  readonly issue: string | null;
  /** Where the loop is that the run was an iteration of; null: of none. */
  readonly loop: LoopFacts | null;
}

export interface LoopFacts {
  /** That of the run, 1-based. */
  readonly iteration: number;
  readonly iterations: number;
  /** How many iterations in a row, this one included, came to a result that was there before. */
  readonly unchanged: number;
  readonly unchangedMax: number;
  /** Whether all iterations together have had the time that they may take. */
  readonly isTimeUp: boolean;
}

/** Decides what follows a run's outcome. Effects are for the caller to add: this decides states, not texts. */
export function nextStep(outcome: RunOutcome, run: RunFacts): NextStep {
  switch (outcome.status) {
    case "succeeded":
      return done(run);
    case "no_change":
      if (!run.yieldsCommit) return done(run);
      return afterFailure("no_change", "The agent ended without changing anything.", null, run);
    case "cancelled":
      if (outcome.by !== "shutdown") return ended("cancelled", outcome.by, outcome.message);
      return again("restart", outcome.message, null, { keepsAttempt: true, resumeSessionId: run.sessionId });
    case "failed":
      return afterFailure(outcome.reason, outcome.message, outcome.retryAt, run);
  }
}

/**
 * What a run's outcome says of its agent (`worker`) and of its stage. `isPerson`: a person did the work, whose no is no failure.
 * `isLoop`: it was an iteration; that its checks are not green yet is what a loop is made of.
 */
export function verdictsOf(
  outcome: RunOutcome,
  { yieldsCommit, isPerson, isLoop }: Pick<RunFacts, "yieldsCommit"> & { readonly isPerson: boolean; readonly isLoop: boolean },
): Pick<Treatment, "worker" | "stage"> {
  switch (outcome.status) {
    case "succeeded":
      return { worker: "success", stage: "success" };
    case "no_change":
      return yieldsCommit ? treatments.no_change : { worker: "success", stage: "success" };
    case "cancelled":
      return { worker: "neutral", stage: "neutral" };
    case "failed":
      if (isPerson && outcome.reason === "permission_denied") return { worker: "neutral", stage: "neutral" };
      if (isLoop && outcome.reason === "check_failed") return { worker: "success", stage: "neutral" };
      return treatments[outcome.reason];
  }
}

function done({ nextStage, needsApproval, issue }: RunFacts): NextStep {
  if (needsApproval) return ended("blocked", "approval", issue ?? "A person approves its result before it goes on.");
  if (nextStage === null) return ended("succeeded", issue === null ? null : "issue", issue);
  return { ...again(null, null, null, fresh), stage: nextStage, iteration: 1 };
}

const fresh = { keepsAttempt: false, resumeSessionId: null };

function afterFailure(reason: FailureReason, message: string, retryAt: number | null, run: RunFacts): NextStep {
  if (run.loop && (reason === "check_failed" || reason === "no_change")) return afterIteration(message, run.loop);
  const { remedy } = treatments[reason];
  if (remedy === "wait" || (remedy === "wait_if_told" && retryAt !== null)) {
    return again(reason, message, waitUntil(reason, retryAt, run), { keepsAttempt: true, resumeSessionId: run.sessionId });
  }
  if (remedy === "ask") return { ...ended("blocked", reason, message), keepsAttempt: true, resumeSessionId: run.sessionId };
  const givesUp = remedy === "give_up" || remedy === "wait_if_told";
  if (givesUp || run.attempt >= run.attemptMax) return ended("failed", reason, message);
  return again(reason, message, Math.max(retryAt ?? 0, run.backoffUntil), {
    keepsAttempt: false,
    resumeSessionId: remedy === "resume" ? run.sessionId : null,
  });
}

/** What follows from an iteration after which the checks do not pass yet: the next one, with a fresh context, unless that leads nowhere. */
function afterIteration(message: string, { iteration, iterations, unchanged, unchangedMax, isTimeUp }: LoopFacts): NextStep {
  if (iteration >= iterations) return ended("failed", "iterations", `It had its ${iterations} iterations. After the last: ${message}`);
  if (unchanged >= unchangedMax) return ended("failed", "no_progress", `${unchanged} iterations came to what was there before: ${message}`);
  if (isTimeUp) return ended("failed", "timed_out", `Its loop took all the time that it may have, to iteration ${iteration}: ${message}`);
  return { ...again("iteration", message, null, fresh), iteration: iteration + 1 };
}

/** Null: at once, because another agent may have it; whether it has is for the dispatcher to see. */
function waitUntil(reason: FailureReason, retryAt: number | null, run: RunFacts): number | null {
  if (reason === "usage_limit" && run.mayHandOver) return null;
  const told = Math.max(retryAt ?? 0, run.accountHeldUntil ?? 0);
  return told > 0 ? told : run.outageUntil;
}

function ended(status: "succeeded" | "failed" | "cancelled" | "blocked", reason: string | null, message: string | null): NextStep {
  return { status, stage: null, iteration: null, reason, message, runAfter: null, ...fresh, effects: [] };
}

function again(
  reason: string | null,
  message: string | null,
  runAfter: number | null,
  { keepsAttempt, resumeSessionId }: Pick<NextStep, "keepsAttempt" | "resumeSessionId">,
): NextStep {
  return { status: "queued", stage: null, iteration: null, reason, message, runAfter, keepsAttempt, resumeSessionId, effects: [] };
}
