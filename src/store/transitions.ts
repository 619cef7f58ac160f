import { AppError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { EffectPayload } from "../contract/effect.ts";
import type { NewEvent } from "../contract/event.ts";
import type { ProjectId, RunId, TaskId } from "../contract/ids.ts";
import type { AgentKind, CancelledBy, Run, RunOutcome } from "../contract/run.ts";
import { endedStatuses, type Task, type TaskStatus } from "../contract/task.ts";
import { countedTokens } from "../domain/budget.ts";
import type { NextStep } from "../domain/next-step.ts";
import { PROCESS_SEAT } from "../domain/seats.ts";
import { resolveAlerts } from "./alerts.ts";
import type { Reader, Transaction } from "./database.ts";
import { enqueueEffect } from "./effects.ts";
import { appendEvent } from "./events.ts";
import { addLoopNotes } from "./loop-notes.ts";
import { getRun } from "./runs.ts";
import { addSpending } from "./spending.ts";
import type { Params } from "./statements.ts";
import { getTask } from "./tasks.ts";

// Every change of a task's status by us (the moves that are allowed: domain/task-states.ts). The event of the change, the
// counters, the times of the row and the dependents of the task are the work of triggers, so that they are the same for
// every program that writes.

export interface Claim {
  readonly taskId: TaskId;
  readonly worker: number;
  readonly agent: string;
  /** What the agent is for; left out: the work itself. */
  readonly kind?: AgentKind;
  readonly driver: string;
  readonly isolation: string;
  /** Whose limits the agent shares. */
  readonly account: string;
  /** The kinds of seats that the run takes, and the pools in which it has a place; left out: that of an agent that is a process of its own. */
  readonly seats?: readonly string[];
  readonly leaseMs: number;
  /** What the task goes by if it has not begun: the version in force and its first stage; left out: there is none. */
  readonly workflow?: { readonly id: number; readonly stage: string } | undefined;
  /** Of the task's project, after this start. */
  readonly virtualTime: number;
}

/**
 * Takes a queued task that is due and opens its run. One statement decides, so no two claims get the same task. Undefined:
 * somebody else has it, it is not due, its project is disabled, or an earlier run of it is still being stopped.
 */
export function claimTask(tx: Transaction, claim: Claim): Run | undefined {
  const { taskId } = claim;
  const { changes } = tx.run(
    `UPDATE tasks SET status = 'running', reason = NULL, message = NULL, epoch = epoch + 1, attempt = attempt + 1, started_at = coalesce(started_at, :now),
       stage = iif(workflow_id IS NULL, coalesce(:stage, stage), stage), workflow_id = coalesce(workflow_id, :workflowId)
     WHERE id = :taskId AND status = 'queued' AND run_after <= :now
       AND EXISTS (SELECT 1 FROM projects WHERE projects.id = project_id AND enabled = 1 AND unregistered_at IS NULL)
       AND NOT EXISTS (SELECT 1 FROM runs WHERE task_id = tasks.id AND finished_at IS NULL)`,
    { taskId, now: tx.now, stage: claim.workflow?.stage ?? null, workflowId: claim.workflow?.id ?? null },
  );
  if (changes === 0) return undefined;
  const before = latestAgent(tx, taskId);
  const run = openRun(tx, claim);
  tx.run("UPDATE projects SET virtual_time = :virtualTime WHERE id = :projectId", {
    virtualTime: claim.virtualTime,
    projectId: run.projectId,
  });
  dropOvertaken(tx, run);
  appendEvent(tx, {
    type: "run.started",
    ...aboutRun(run),
    data: {
      attempt: run.attempt,
      agent: run.agent,
      worker: run.worker,
      stage: run.stage,
      iteration: run.iteration,
      handedOverFrom: before === run.agent ? null : before,
    },
  });
  return run;
}

/**
 * Ends a run and moves its task on, with the effects that follow. False, with event `write.refused` and nothing changed,
 * when the run has ended or its task was claimed anew. A task that another program took out of `running` meanwhile stays
 * as that left it.
 */
export function finishRun(
  tx: Transaction,
  run: Pick<Run, "id" | "epoch">,
  { outcome, next }: { outcome: RunOutcome; next: NextStep },
): boolean {
  const current = currentRun(tx, run, "finish run");
  if (!current) return false;
  tx.run("UPDATE runs SET outcome = :outcome, finished_at = :now, questions = '[]' WHERE id = :id", {
    id: run.id,
    outcome: JSON.stringify(outcome),
    now: tx.now,
  });
  appendEvent(tx, { type: "run.ended", ...aboutRun(current), data: { outcome } });
  const { changes } = tx.run(
    `UPDATE tasks SET status = :status, reason = :reason, message = :message, run_after = coalesce(:runAfter, run_after),
       attempt = iif(:stage IS NULL AND :iteration IS NULL, attempt - :kept, 0), stage = coalesce(:stage, stage),
       iteration = coalesce(:iteration, iteration), resume_session_id = :resumeSessionId, session_agent = :sessionAgent
     WHERE id = :taskId AND status = 'running'`,
    {
      taskId: current.taskId,
      status: next.status,
      reason: next.reason,
      message: next.message,
      runAfter: next.runAfter,
      kept: Number(next.keepsAttempt),
      stage: next.stage,
      iteration: next.iteration,
      resumeSessionId: next.resumeSessionId,
      sessionAgent: next.resumeSessionId === null ? "" : current.agent,
    },
  );
  const { projectId, taskId, epoch } = current;
  if (changes === 0) return true;
  if (next.stage !== null)
    appendEvent(tx, { type: "task.stage_changed", projectId, taskId, data: { from: current.stage, to: next.stage } });
  for (const payload of next.effects) enqueueEffect(tx, { projectId, taskId, epoch, payload });
  return true;
}

/** What may be noted of a run while it is open. Usage is that of the run so far, never a difference. */
export type RunChange = Partial<
  Pick<Run, "progress" | "state" | "process" | "sessionId" | "baseCommit" | "questions" | "usage" | "outputOffset" | "progressAt">
>;

/**
 * Notes what became of an open run, with the events that tell of it. Fenced as `finishRun` is. The task has the reason
 * `question` while its agent waits with one, and the usage of all its runs together.
 */
export function recordRun(tx: Transaction, run: Pick<Run, "id" | "epoch">, change: RunChange, events: readonly NewEvent[] = []): boolean {
  const current = currentRun(tx, run, "record run");
  if (!current) return false;
  if (change.usage) addUsage(tx, run.id, change.usage);
  updateRun(tx, run.id, change);
  if (change.questions) {
    const reason = change.questions.length > 0 ? "question" : null;
    tx.run("UPDATE tasks SET reason = :reason, updated_at = :now WHERE id = :taskId AND status = 'running' AND reason IS NOT :reason", {
      taskId: current.taskId,
      reason,
      now: tx.now,
    });
  }
  for (const event of events) appendEvent(tx, event);
  return true;
}

/** A heartbeat: the runs that are still open are ours until `expiresAt`. */
export function renewLeases(tx: Transaction, runs: readonly RunId[], expiresAt: number): void {
  tx.run("UPDATE runs SET lease_expires_at = :expiresAt WHERE id IN (SELECT value FROM json_each(:runs)) AND finished_at IS NULL", {
    expiresAt,
    runs: JSON.stringify(runs),
  });
}

/**
 * Cancels a task that does not run at once; of one that runs, stores the wish for its runner, who saves the work first.
 * Throws `conflict` when the task has ended.
 */
export function requestCancel(tx: Transaction, taskId: TaskId, { by, message }: { by: CancelledBy; actor: string; message: string }): Task {
  const { status, key } = getTask(tx, taskId);
  if (isEnded(status)) throw new AppError("conflict", `${key} has ended already: ${status}.`, { status });
  if (status === "running") {
    tx.run("UPDATE tasks SET cancel_by = :by, cancel_message = :message, updated_at = :now WHERE id = :taskId AND cancel_by IS NULL", {
      taskId,
      by,
      message,
      now: tx.now,
    });
  } else {
    tx.run("UPDATE tasks SET status = 'cancelled', reason = :by, message = :message WHERE id = :taskId", { taskId, by, message });
    resolveAlerts(tx, "approval_wanted", key);
  }
  return getTask(tx, taskId);
}

/** Whether somebody wants any running task cancelled. Cheap enough for each commit. */
export function hasCancelRequests(reader: Reader): boolean {
  return reader.get("SELECT 1 FROM tasks INDEXED BY tasks_to_cancel WHERE cancel_by IS NOT NULL LIMIT 1") !== undefined;
}

/** Who wants a running task cancelled, and why; undefined: nobody. */
export function cancelRequest(reader: Reader, taskId: TaskId): { by: CancelledBy; message: string } | undefined {
  return reader.get("SELECT cancel_by AS by, cancel_message AS message FROM tasks WHERE id = :taskId AND cancel_by IS NOT NULL", {
    taskId,
  });
}

/** An open run that its runner must stop, and why. */
export interface StopRequest {
  readonly runId: RunId;
  readonly by: CancelledBy;
  readonly message: string;
}

/** The open runs whose tasks somebody wants cancelled, or took out of `running` by hand. */
export function stopRequests(reader: Reader): StopRequest[] {
  const rows = reader.all<{ id: RunId; status: string; cancel_by: CancelledBy | null; cancel_message: string | null }>(
    `SELECT runs.id, tasks.status, cancel_by, cancel_message FROM runs INDEXED BY runs_open CROSS JOIN tasks ON tasks.id = runs.task_id
     WHERE runs.finished_at IS NULL AND (cancel_by IS NOT NULL OR tasks.status <> 'running')`,
  );
  return rows.map(({ id, status, cancel_by, cancel_message }) => ({
    runId: id,
    by: cancel_by ?? "user",
    message: cancel_message ?? `The task was set to ${status} in the database.`,
  }));
}

/**
 * Wants a task again, or a draft at last: queued with all its attempts before it (held as `waiting` where a dependency has
 * yet to succeed). One that ended goes by the `workflow` in force now, at the stage that it was at if that has it. Throws
 * `conflict` for a task that is on its way, has succeeded, or needs one that failed.
 */
export function retryTask(tx: Transaction, taskId: TaskId, workflow?: { readonly id: number; readonly stages: readonly string[] }): Task {
  const { status, key } = getTask(tx, taskId);
  if (status === "succeeded") throw new AppError("conflict", `${key} has succeeded; there is nothing to try again.`, { status });
  if (status === "queued" || status === "waiting" || status === "running") {
    throw new AppError("conflict", `${key} is ${status} already.`, { status });
  }
  const failed = tx.get<{ key: string; status: TaskStatus }>(
    `SELECT projects.name || '#' || tasks.number AS key, tasks.status
     FROM task_dependencies JOIN tasks ON tasks.id = depends_on_id JOIN projects ON projects.id = project_id
     WHERE task_id = :taskId AND tasks.status IN ('failed', 'cancelled') ORDER BY tasks.sequence LIMIT 1`,
    { taskId },
  );
  if (failed) throw new AppError("conflict", `${key} needs ${failed.key}, which is ${failed.status}: retry that one first.`, { ...failed });
  tx.run(
    `UPDATE tasks SET status = 'queued', reason = NULL, message = NULL, run_after = :now, attempt = 0,
       workflow_id = iif(status IN ('failed', 'cancelled'), coalesce(:workflowId, workflow_id), workflow_id),
       iteration = iif(status IN ('failed', 'cancelled') AND reason IN ('iterations', 'no_progress', 'timed_out'), 1, iteration),
       stage = iif(:workflowId IS NULL OR status = 'blocked' OR stage IN (SELECT value FROM json_each(:stages)), stage, json_extract(:stages, '$[0]')),
       resume_session_id = iif(status = 'blocked', resume_session_id, NULL), session_agent = iif(status = 'blocked', session_agent, '')
     WHERE id = :taskId`,
    { taskId, now: tx.now, workflowId: workflow?.id ?? null, stages: JSON.stringify(workflow?.stages ?? []) },
  );
  return getTask(tx, taskId);
}

/** Has a task that has not ended go before or behind others of its project. Throws `conflict` for one that has. */
export function setTaskPriority(tx: Transaction, taskId: TaskId, priority: number, actor: string): Task {
  const { status, key, projectId } = getTask(tx, taskId);
  if (isEnded(status)) throw new AppError("conflict", `${key} has ended: it is ${status}.`, { status });
  tx.run("UPDATE tasks SET priority = :priority, updated_at = :now WHERE id = :taskId", { taskId, priority, now: tx.now });
  appendEvent(tx, { type: "task.changed", projectId, taskId, data: { priority, by: actor } });
  return getTask(tx, taskId);
}

/**
 * Lets a task go on that waits for approval: to a stage, or (null) to its end, with the effects that follow. Throws `conflict`
 * for a task that waits for none.
 */
export function approveTask(tx: Transaction, taskId: TaskId, stage: string | null, effects: readonly EffectPayload[]): Task {
  const { key, status, reason, stage: from, projectId, epoch } = getTask(tx, taskId);
  if (status !== "blocked" || reason !== "approval")
    throw new AppError("conflict", `${key} waits for no approval: it is ${status}.`, { status });
  tx.run(
    `UPDATE tasks SET status = :status, reason = NULL, message = NULL, run_after = :now, attempt = 0, iteration = 1, stage = coalesce(:stage, stage)
     WHERE id = :taskId`,
    { taskId, stage, status: stage === null ? "succeeded" : "queued", now: tx.now },
  );
  if (stage !== null) appendEvent(tx, { type: "task.stage_changed", projectId, taskId, data: { from, to: stage } });
  for (const payload of effects) enqueueEffect(tx, { projectId, taskId, epoch, payload });
  return getTask(tx, taskId);
}

/** Throws `conflict` for a task whose workspace an agent has, or may have at any moment. */
export function refuseOnItsWay(key: string, status: TaskStatus): void {
  if (status === "running" || status === "queued")
    throw new AppError("conflict", `${key} is ${status}. Cancel it first; its work is kept.`, { status });
}

/**
 * Has a task's loop go on behind one of its iterations. Throws `conflict` for one that is on its way.
 */
export function rollBackTask(tx: Transaction, taskId: TaskId, iteration: number, actor: string): Task {
  const { key, status, stage, projectId } = getTask(tx, taskId);
  refuseOnItsWay(key, status);
  addLoopNotes(tx, taskId, stage, [{ iteration, kind: "rollback", text: `Gone back to by ${actor}.` }]);
  tx.run("UPDATE tasks SET iteration = :next, reason = 'rolled_back', message = NULL, updated_at = :now WHERE id = :taskId", {
    taskId,
    next: iteration + 1,
    now: tx.now,
  });
  appendEvent(tx, { type: "task.rolled_back", projectId, taskId, data: { iteration, by: actor } });
  return getTask(tx, taskId);
}

/** Cancels every queued task and returns how many those were. */
export function clearQueue(tx: Transaction, actor: string): number {
  const { changes } = tx.run(
    "UPDATE tasks SET status = 'cancelled', reason = 'user', message = 'The queue was cleared.' WHERE status = 'queued'",
  );
  appendEvent(tx, { type: "queue.cleared", data: { by: actor, count: changes } });
  return changes;
}

/** The agent of a task's newest run; null: it has none. */
function latestAgent(reader: Reader, taskId: TaskId): string | null {
  const row = reader.get<{ agent: string }>("SELECT agent FROM runs WHERE task_id = :taskId ORDER BY sequence DESC LIMIT 1", { taskId });
  return row?.agent ?? null;
}

/** A session is gone on with by its own agent alone. */
function openRun(tx: Transaction, claim: Claim): Run {
  const { taskId, worker, agent, kind = "worker", driver, isolation, account, seats = [PROCESS_SEAT], leaseMs } = claim;
  const id = newId("run");
  tx.run(
    `INSERT INTO runs (id, task_id, project_id, stage, attempt, iteration, epoch, worker, agent, kind, driver, isolation, account, seats, lease_expires_at, resumes_session_id, started_at, progress_at)
     SELECT :id, id, project_id, stage, attempt, iteration, epoch, :worker, :agent, :kind, :driver, :isolation, :account, :seats, :leaseExpiresAt,
       iif(session_agent IN ('', :agent), resume_session_id, NULL), :now, :now
     FROM tasks WHERE id = :taskId`,
    {
      id,
      taskId,
      worker,
      agent,
      kind,
      driver,
      isolation,
      account,
      seats: JSON.stringify(seats),
      leaseExpiresAt: tx.now + leaseMs,
      now: tx.now,
    },
  );
  return getRun(tx, id);
}

/** What an earlier claim meant to push or to open is no longer its to publish. Its comment still holds until there is a newer one. */
function dropOvertaken(tx: Transaction, { taskId, epoch }: Run): void {
  tx.run(
    "UPDATE effects SET status = 'dropped' WHERE task_id = :taskId AND status = 'pending' AND epoch < :epoch AND kind IN ('push', 'pull_request')",
    { taskId, epoch },
  );
}

/** What a run is of. */
type About = Pick<Run, "id" | "taskId" | "projectId" | "epoch" | "agent" | "stage">;

/** What the run is of, while it is open and the newest of its task; otherwise the refused write is put on record. */
function currentRun(tx: Transaction, { id, epoch }: Pick<Run, "id" | "epoch">, what: string): About | undefined {
  const row = tx.get<{
    task_id: TaskId;
    project_id: ProjectId;
    epoch: number;
    agent: string;
    stage: string;
    is_open: number;
    newest: number;
  }>(
    `SELECT task_id, runs.project_id, runs.epoch, agent, runs.stage, runs.finished_at IS NULL AS is_open, tasks.epoch AS newest
     FROM runs CROSS JOIN tasks ON tasks.id = task_id WHERE runs.id = :id`,
    { id },
  );
  if (!row) throw new AppError("not_found", `There is no run ${id}.`);
  const about = { id, taskId: row.task_id, projectId: row.project_id, epoch: row.epoch, agent: row.agent, stage: row.stage };
  if (row.is_open === 1 && row.epoch === epoch && row.newest === epoch) return about;
  appendEvent(tx, { type: "write.refused", ...aboutRun(about), data: { what, epoch, current: row.newest } });
  return undefined;
}

function updateRun(tx: Transaction, id: RunId, change: RunChange): void {
  const columns = columnsOf(change);
  const names = Object.keys(columns);
  if (names.length === 0) return;
  tx.run(`UPDATE runs SET ${names.map((name) => `${name} = :${name}`).join(", ")} WHERE id = :id`, { id, ...columns });
}

/** The columns of `runs` that a change is about, with their values. */
function columnsOf({ process, sessionId, baseCommit, questions, usage, outputOffset, progressAt, progress, state }: RunChange): Params {
  return {
    ...(progress !== undefined && { progress }),
    ...(state !== undefined && { state: state && JSON.stringify(state) }),
    ...(process !== undefined && { process: process && JSON.stringify(process) }),
    ...(sessionId !== undefined && { session_id: sessionId }),
    ...(baseCommit !== undefined && { base_commit: baseCommit }),
    ...(questions !== undefined && { questions: JSON.stringify(questions) }),
    ...(usage !== undefined && {
      input_tokens: usage.inputTokens,
      output_tokens: usage.outputTokens,
      cache_read_tokens: usage.cacheReadTokens,
      cost_usd_micros: usage.costUsdMicros,
    }),
    ...(outputOffset !== undefined && { output_offset: outputOffset }),
    ...(progressAt !== undefined && { progress_at: progressAt }),
  };
}

/** Adds to the task what the run has used since it was last noted. */
function addUsage(tx: Transaction, runId: RunId, usage: Run["usage"]): void {
  const { taskId, projectId, usage: before } = getRun(tx, runId);
  const costUsdMicros = usage.costUsdMicros === null ? null : usage.costUsdMicros - (before.costUsdMicros ?? 0);
  tx.run(
    `UPDATE tasks SET input_tokens = input_tokens + :inputTokens, output_tokens = output_tokens + :outputTokens,
       cache_read_tokens = cache_read_tokens + :cacheReadTokens,
       cost_usd_micros = iif(:costUsdMicros IS NULL, cost_usd_micros, coalesce(cost_usd_micros, 0) + :costUsdMicros)
     WHERE id = :taskId`,
    {
      taskId,
      inputTokens: usage.inputTokens - before.inputTokens,
      outputTokens: usage.outputTokens - before.outputTokens,
      cacheReadTokens: usage.cacheReadTokens - before.cacheReadTokens,
      costUsdMicros,
    },
  );
  const tokens = countedTokens(usage) - countedTokens(before);
  addSpending(tx, projectId, { tokens, costUsdMicros: costUsdMicros ?? 0 });
}

function isEnded(status: TaskStatus): boolean {
  return (endedStatuses as readonly TaskStatus[]).includes(status);
}

function aboutRun(run: About): Pick<Run, "projectId" | "taskId"> & { runId: RunId } {
  return { projectId: run.projectId, taskId: run.taskId, runId: run.id };
}
