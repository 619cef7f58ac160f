import { messageOf } from "../base/errors.ts";
import type { EffectPayload } from "../contract/effect.ts";
import type { Project } from "../contract/project.ts";
import type { Run, RunOutcome } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import { retryDelay } from "../domain/backoff.ts";
import { nextStep, type NextStep } from "../domain/next-step.ts";
import { renderComment, renderPullRequest } from "../publish/render.ts";
import { raiseAlert, resolveAlerts } from "../store/alerts.ts";
import { getProject } from "../store/projects.ts";
import { getRun } from "../store/runs.ts";
import { getTask } from "../store/tasks.ts";
import { cancelRequest, finishRun } from "../store/transitions.ts";
import { findStage } from "../workflow/workflow.ts";
import { accountOf, agentsFor } from "./governor.ts";
import { recordDaemonHooks } from "./job.ts";
import { learnFromEnd } from "./lessons.ts";
import type { EngineParts } from "./parts.ts";

/** How long to wait at most for what others have to mend and said nothing of, such as a forge that does not answer, milliseconds. */
const OUTAGE_MS = 120_000;

/** Ends a run: its outcome, what becomes of the task, and what that changes outside, in one transaction. */
export async function endRun(parts: EngineParts, { id, epoch }: Pick<Run, "id" | "epoch">, outcome: RunOutcome): Promise<void> {
  const kept = await parts.database.write((tx) => {
    const run = getRun(tx, id);
    const task = getTask(tx, run.taskId);
    const isCurrent = run.finishedAt === null && epoch === task.epoch;
    const heldUntil = isCurrent ? learnFromEnd(parts, tx, task, run, outcome, yieldsCommit(parts, task)) : null;
    const next = decide(parts, task, run, outcome, heldUntil, tx.now);
    recordDaemonHooks(tx, { id, epoch }, [{ type: "run.ended", data: { outcome } }], parts.drivers.get(run.driver));
    if (!finishRun(tx, { id, epoch }, { outcome, next })) return undefined;
    if (next.status === "failed") {
      const message = `${task.key} failed: ${next.message ?? next.reason ?? "no reason given"}`;
      raiseAlert(tx, { kind: "task_failed", subject: task.key, message, projectId: task.projectId, taskId: task.id });
    }
    if (next.status === "succeeded") resolveAlerts(tx, "task_failed", task.key);
    return next;
  });
  if (kept) parts.log.info("run ended", { runId: id, outcome: outcome.status, next: kept.status, reason: kept.reason });
  else parts.log.warn("the end of a run was refused: its task was claimed anew", { runId: id, epoch });
}

/** What to tell the outside when a task's first attempt has begun, also when a person wanted it again. */
export function startEffects(task: Task, run: Run): EffectPayload[] {
  if (task.source.issue === null || run.attempt > 1) return [];
  return [{ kind: "comment", issue: task.source.issue, body: renderComment({ task, run, next: null }), linksPullRequest: false }];
}

/** @param accountHeldUntil when the account of the run's agent serves again. */
function decide(parts: EngineParts, task: Task, run: Run, outcome: RunOutcome, accountHeldUntil: number | null, now: number): NextStep {
  const project = getProject(parts.database.reader, task.projectId);
  const config = parts.settings.forProject(project);
  const facts = {
    attempt: task.attempt,
    attemptMax: task.attemptMax,
    sessionId: run.sessionId,
    yieldsCommit: yieldsCommit(parts, task),
    backoffUntil: now + retryDelay(task.attempt, config.defaults.retryDelayMs, parts.random),
    outageUntil: now + retryDelay(1, OUTAGE_MS, parts.random),
    accountHeldUntil,
    mayHandOver: mayHandOver(parts, agentsFor(config, run.stage), run.agent),
  };
  const next = unlessCancelled(parts, task, nextStep(outcome, facts));
  return { ...next, effects: effectsOf(project, task, { ...run, finishedAt: now, outcome }, outcome, next) };
}

/** A cancellation that was asked for when the run had all but ended came too late to stop it, but not for the task. */
function unlessCancelled({ database }: EngineParts, task: Task, next: NextStep): NextStep {
  const wish = next.status === "queued" ? cancelRequest(database.reader, task.id) : undefined;
  return wish ? { ...next, status: "cancelled", reason: wish.by, message: wish.message, runAfter: null, resumeSessionId: null } : next;
}

/** Whether one of the agents has limits of its own. */
function mayHandOver(parts: EngineParts, agents: readonly string[], from: string): boolean {
  const account = accountOf(parts, from);
  return agents.some((agent) => ![undefined, account].includes(accountOf(parts, agent)));
}

function yieldsCommit(parts: EngineParts, task: Task): boolean {
  try {
    return findStage(parts.workflows, task.workflow, task.stage).yields === "commit";
  } catch (thrown) {
    // A workflow that is gone: the run has failed for that reason already, and nothing hangs on what it would have yielded.
    parts.log.warn("unknown workflow", { taskId: task.id, error: messageOf(thrown) });
    return true;
  }
}

function effectsOf(project: Project, task: Task, run: Run, outcome: RunOutcome, next: NextStep): EffectPayload[] {
  const effects: EffectPayload[] = [];
  if (outcome.status === "succeeded") effects.push(...deliveryOf(project, task, run, outcome));
  if (task.source.issue !== null) {
    const linksPullRequest = effects.some((effect) => effect.kind === "pull_request");
    effects.push({ kind: "comment", issue: task.source.issue, body: renderComment({ task, run, next }), linksPullRequest });
  }
  return effects;
}

function deliveryOf(project: Project, task: Task, run: Run, outcome: Extract<RunOutcome, { status: "succeeded" }>): EffectPayload[] {
  const { branch, delivery } = task;
  if (branch === null || delivery === "comment") return [];
  const push: EffectPayload = { kind: "push", branch, commit: outcome.proof.headCommit };
  if (delivery === "branch") return [push];
  return [push, { kind: "pull_request", branch, base: project.baseBranch, ...renderPullRequest({ task, run, outcome }) }];
}
