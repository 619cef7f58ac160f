import { AppError } from "../base/errors.ts";
import type { Branch, BranchState } from "../contract/branch.ts";
import type { ProjectId, TaskId } from "../contract/ids.ts";
import type { Task } from "../contract/task.ts";
import type { Reader, Transaction } from "./database.ts";
import { appendEvent } from "./events.ts";

/** More finished branches of one project than this are not looked after at once. */
const OPEN_MAX = 1000;

const COLUMNS = `branches.task_id, branches.project_id, projects.name AS project, tasks.number, tasks.title, tasks.branch,
    branches.base_commit, branches.head_commit, branches.state, branches.message, branches.place, tasks.pull_number, tasks.pull_url, branches.updated_at
  FROM branches CROSS JOIN tasks ON tasks.id = branches.task_id CROSS JOIN projects ON projects.id = branches.project_id`;

/** Notes what a task's branch is, newly pushed: open, and in the merge queue if it is to be merged by itself. It keeps its place there. */
export function keepBranch(
  tx: Transaction,
  { id, projectId }: Pick<Task, "id" | "projectId">,
  { baseCommit, headCommit, isQueued }: Pick<Branch, "baseCommit" | "headCommit"> & { isQueued: boolean },
): void {
  tx.run(
    `INSERT INTO branches (task_id, project_id, base_commit, head_commit, state, message, place, updated_at)
     VALUES (:id, :projectId, :baseCommit, :headCommit, 'open', NULL, iif(:isQueued, (SELECT coalesce(max(place), 0) + 1 FROM branches WHERE place IS NOT NULL), NULL), :now)
     ON CONFLICT (task_id) DO UPDATE SET base_commit = excluded.base_commit, head_commit = excluded.head_commit, state = 'open',
       message = NULL, place = coalesce(place, excluded.place), updated_at = excluded.updated_at`,
    { id, projectId, baseCommit, headCommit, isQueued: Number(isQueued), now: tx.now },
  );
}

/** Undefined: the task has none, or works on it again. */
export function findBranch(reader: Reader, taskId: TaskId): Branch | undefined {
  const row = reader.get<BranchRow>(`SELECT ${COLUMNS} WHERE branches.task_id = :taskId`, { taskId });
  return row && toBranch(row);
}

/** Those of a project that wait to be merged, as their tasks were made. */
export function listOpenBranches(reader: Reader, projectId: ProjectId): Branch[] {
  return reader
    .all<BranchRow>(`SELECT ${COLUMNS} WHERE branches.project_id = :projectId AND state = 'open' ORDER BY tasks.sequence LIMIT :limit`, {
      projectId,
      limit: OPEN_MAX,
    })
    .map(toBranch);
}

/** The merge queue of a project, or all of them, in order. */
export function listMergeQueue(reader: Reader, projectId?: ProjectId): Branch[] {
  const where = projectId === undefined ? "" : "AND branches.project_id = :projectId";
  return reader
    .all<BranchRow>(`SELECT ${COLUMNS} WHERE place IS NOT NULL ${where} ORDER BY place LIMIT :limit`, {
      limit: OPEN_MAX,
      ...(projectId !== undefined && { projectId }),
    })
    .map(toBranch);
}

/** Those of a project, or of all, that wait to be merged or were left: first the merge queue, in its order. */
export function listBranchesToMerge(reader: Reader, projectId?: ProjectId): Branch[] {
  const where = projectId === undefined ? "" : "AND branches.project_id = :projectId";
  return reader
    .all<BranchRow>(
      `SELECT ${COLUMNS} WHERE state IN ('open', 'left') ${where} ORDER BY place IS NULL, place, tasks.sequence DESC LIMIT :limit`,
      {
        limit: OPEN_MAX,
        ...(projectId !== undefined && { projectId }),
      },
    )
    .map(toBranch);
}

/** Puts a branch at the end of the merge queue; one that is in it stays where it is. Throws `conflict` when it is not open. */
export function enqueueBranch(tx: Transaction, taskId: TaskId): Branch {
  const branch = requireBranch(tx, taskId);
  if (branch.state === "merged" || branch.state === "closed")
    throw new AppError("conflict", `The branch of ${branch.taskKey} is ${branch.state} already.`, { state: branch.state });
  if (branch.place !== null) return branch;
  tx.run(
    "UPDATE branches SET state = 'open', message = NULL, place = (SELECT coalesce(max(place), 0) + 1 FROM branches WHERE place IS NOT NULL), updated_at = :now WHERE task_id = :taskId",
    { taskId, now: tx.now },
  );
  appendEvent(tx, { type: "branch.queued", ...about(branch), data: {} });
  return requireBranch(tx, taskId);
}

/** Takes a branch out of the merge queue; it stays open. */
export function dequeueBranch(tx: Transaction, taskId: TaskId, message: string): Branch {
  const branch = requireBranch(tx, taskId);
  if (branch.place === null) throw new AppError("conflict", `The branch of ${branch.taskKey} is not in the merge queue.`);
  tx.run("UPDATE branches SET place = NULL, message = :message, updated_at = :now WHERE task_id = :taskId", {
    taskId,
    message,
    now: tx.now,
  });
  appendEvent(tx, { type: "branch.unqueued", ...about(branch), data: { message } });
  return requireBranch(tx, taskId);
}

/** It is not open any more, and out of the queue. False: it was settled, or is another one, since it was read. */
export function settleBranch(tx: Transaction, branch: Branch, state: Exclude<BranchState, "open">, message: string | null): boolean {
  const { changes } = tx.run(
    `UPDATE branches SET state = :state, message = :message, place = NULL, updated_at = :now
     WHERE task_id = :taskId AND head_commit = :headCommit AND state = 'open'`,
    { taskId: branch.taskId, headCommit: branch.headCommit, state, message, now: tx.now },
  );
  if (changes === 0) return false;
  appendEvent(tx, { type: "branch.settled", ...about(branch), data: { state, message } });
  return true;
}

/** It stands on another base now. False as above. */
export function moveBranch(tx: Transaction, branch: Branch, to: Pick<Branch, "baseCommit" | "headCommit">): boolean {
  const { changes } = tx.run(
    `UPDATE branches SET base_commit = :baseCommit, head_commit = :newHead, message = NULL, updated_at = :now
     WHERE task_id = :taskId AND head_commit = :headCommit AND state = 'open'`,
    { taskId: branch.taskId, headCommit: branch.headCommit, baseCommit: to.baseCommit, newHead: to.headCommit, now: tx.now },
  );
  if (changes === 0) return false;
  appendEvent(tx, { type: "branch.moved", ...about(branch), data: { fromBase: branch.baseCommit, ...to } });
  return true;
}

/** Says what a branch in the queue waits for. */
export function noteWaiting(tx: Transaction, { taskId }: Branch, message: string | null): void {
  tx.run("UPDATE branches SET message = :message WHERE task_id = :taskId AND state = 'open' AND message IS NOT :message", {
    taskId,
    message,
  });
}

/**
 * A task that was done is to be worked on again, because its branch no longer fits, at the stage that made it: `queued` at once, or `blocked`
 * until a person says so. False as above.
 */
export function reopenTask(
  tx: Transaction,
  branch: Branch,
  { status, reason, message }: { status: "queued" | "blocked"; reason: string; message: string },
): boolean {
  const { taskId, headCommit } = branch;
  if (
    tx.run("DELETE FROM branches WHERE task_id = :taskId AND head_commit = :headCommit AND state = 'open'", { taskId, headCommit })
      .changes === 0
  )
    return false;
  appendEvent(tx, { type: "branch.reopened", ...about(branch), data: { message } });
  tx.run(
    `UPDATE tasks SET status = :status, reason = :reason, message = :message, run_after = :now, resume_session_id = NULL, session_agent = '',
       stage = coalesce((SELECT stage FROM runs WHERE task_id = :taskId AND json_extract(outcome, '$.status') = 'succeeded' ORDER BY sequence DESC LIMIT 1), stage),
       iteration = 1
     WHERE id = :taskId AND status = 'succeeded'`,
    { taskId, status, reason, message, now: tx.now },
  );
  return true;
}

function requireBranch(reader: Reader, taskId: TaskId): Branch {
  const branch = findBranch(reader, taskId);
  if (!branch) throw new AppError("not_found", "The task has no finished branch. List those that wait with: drover merge list");
  return branch;
}

function about({ projectId, taskId }: Branch): Pick<Branch, "projectId" | "taskId"> {
  return { projectId, taskId };
}

interface BranchRow {
  task_id: TaskId;
  project_id: ProjectId;
  project: string;
  number: number;
  title: string;
  branch: string | null;
  base_commit: string;
  head_commit: string;
  state: BranchState;
  message: string | null;
  place: number | null;
  pull_number: number | null;
  pull_url: string | null;
  updated_at: number;
}

function toBranch(row: BranchRow): Branch {
  return {
    taskId: row.task_id,
    taskKey: `${row.project}#${row.number}`,
    title: row.title,
    projectId: row.project_id,
    project: row.project,
    name: row.branch ?? "",
    baseCommit: row.base_commit,
    headCommit: row.head_commit,
    state: row.state,
    message: row.message,
    place: row.place,
    pullRequest: row.pull_number === null || row.pull_url === null ? null : { number: row.pull_number, url: row.pull_url },
    updatedAt: row.updated_at,
  };
}
