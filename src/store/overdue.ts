import type { ProjectId, TaskId } from "../contract/ids.ts";
import type { Reader, Transaction } from "./database.ts";
import { appendEvent } from "./events.ts";
import { getTask } from "./tasks.ts";

/** A queued task that waits for its turn, and since when it could have started. */
export interface WaitingTask {
  readonly id: TaskId;
  readonly since: number;
}

/** The queued tasks of each enabled project that could have started before `since` and were not told of: the longest waiting first, at most `limit` of each. */
export function waitingTooLong(reader: Reader, since: number, limit: number): WaitingTask[] {
  return projectsWithQueue(reader).flatMap((projectId) =>
    reader.all<WaitingTask>(
      `SELECT id, max(queued_at, run_after) AS since FROM tasks INDEXED BY queue_by_wait
       WHERE project_id = :projectId AND status = 'queued' AND overdue_at IS NULL AND max(queued_at, run_after) < :since
       ORDER BY max(queued_at, run_after) LIMIT :limit`,
      { projectId, since, limit },
    ),
  );
}

/** The tasks that wait for a person's approval, since the end of their last run, and were not told of: at most `limit`. */
export function waitingForApproval(reader: Reader, limit: number): WaitingTask[] {
  return reader.all<WaitingTask>(
    `SELECT id, (SELECT max(finished_at) FROM runs WHERE task_id = tasks.id) AS since FROM tasks INDEXED BY tasks_to_approve
     WHERE status = 'blocked' AND reason = 'approval' AND overdue_at IS NULL ORDER BY id LIMIT :limit`,
    { limit },
  );
}

export interface Overdue {
  readonly waitedMs: number;
  /** What it waits for, in a sentence. */
  readonly message: string;
  /** What becomes of it. */
  readonly action: "report" | "fail" | "alert" | "deny" | "approve";
}

/** Notes that a task waits too long, once. One that waits for its turn has that as its reason. */
export function noteOverdue(tx: Transaction, taskId: TaskId, overdue: Overdue): void {
  const { projectId } = getTask(tx, taskId);
  appendEvent(tx, { type: "task.overdue", projectId, taskId, data: { ...overdue } });
  tx.run(
    `UPDATE tasks SET overdue_at = :now, updated_at = :now, reason = iif(status = 'queued', 'overdue', reason),
       message = iif(status = 'queued', :message, message)
     WHERE id = :taskId`,
    { taskId, now: tx.now, message: overdue.message },
  );
}

/** A task that waits for its turn has waited long enough. */
export function failOverdue(tx: Transaction, taskId: TaskId, message: string): void {
  tx.run("UPDATE tasks SET status = 'failed', reason = 'overdue', message = :message WHERE id = :taskId AND status = 'queued'", {
    taskId,
    message,
  });
}

/** Whether a task of a project that was told of still waits for its turn. */
export function hasOverdue(reader: Reader, projectId: ProjectId): boolean {
  return (
    reader.get(
      "SELECT 1 FROM tasks INDEXED BY tasks_overdue WHERE project_id = :projectId AND overdue_at IS NOT NULL AND status = 'queued' LIMIT 1",
      {
        projectId,
      },
    ) !== undefined
  );
}

function projectsWithQueue(reader: Reader): ProjectId[] {
  return reader
    .all<{ id: ProjectId }>(
      `SELECT projects.id FROM task_counts CROSS JOIN projects ON projects.id = project_id AND enabled = 1 AND unregistered_at IS NULL
       WHERE status = 'queued' AND count > 0`,
    )
    .map(({ id }) => id);
}
