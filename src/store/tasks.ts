import { createHash } from "node:crypto";
import { AppError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { ProjectId, TaskId } from "../contract/ids.ts";
import { TaskStatus, type NewTask, type Task, type TaskCounts } from "../contract/task.ts";
import type { Reader, Transaction } from "./database.ts";
import { addDependencies } from "./dependencies.ts";
import { TASK_COLUMNS, toTask, type TaskRow } from "./task-row.ts";

/** How long to wait before a refused task is sent again: about the time in which a full queue has moved, milliseconds. */
const QUEUE_FULL_RETRY_MS = 60_000;
const RECENT_MAX = 100;

/**
 * Makes a task, unless this project has one of the same source already: then that one is the answer. It begins as
 * `draft` when it is one, else as its dependencies demand: `queued`, `waiting` or `blocked`.
 * Throws `invalid` for dependencies that don't exist or go round in a circle, and `unavailable` (with `retryAfterMs` and
 * `reason: "queue_full"`) when as many tasks as may be are queued.
 */
export function insertTask(tx: Transaction, task: NewTask, max?: { queued: number }): { task: Task; created: boolean } {
  const known = findBySource(tx, task);
  if (known) return { task: known, created: false };
  if (max && !task.draft && countTasks(tx).queued >= max.queued) {
    throw new AppError(
      "unavailable",
      `The queue is full: it takes ${max.queued} (daemon.queueMax). Try again later, or clear some of it.`,
      {
        reason: "queue_full",
        retryAfterMs: QUEUE_FULL_RETRY_MS,
      },
    );
  }
  refuseUnregistered(tx, task.projectId);
  const id = newId("task");
  insertRow(tx, id, task);
  tx.run("INSERT INTO task_bodies (task_id, body) VALUES (:id, :body)", { id, body: task.body });
  addDependencies(tx, id, task.dependsOn);
  return { task: getTask(tx, id), created: true };
}

/** By its id, or by its key, `api#42`. */
export function findTask(reader: Reader, idOrKey: string): Task | undefined {
  const [, name, number] = /^(.+)#(\d+)$/.exec(idOrKey) ?? [];
  const row =
    name === undefined
      ? reader.get<TaskRow>(`SELECT ${TASK_COLUMNS} WHERE tasks.id = :id`, { id: idOrKey })
      : reader.get<TaskRow>(
          `SELECT ${TASK_COLUMNS} WHERE tasks.project_id IN (SELECT id FROM projects WHERE name = :name) AND tasks.number = :number`,
          {
            name,
            number: Number(number),
          },
        );
  return row && toTask(row);
}

/** Throws `not_found`. */
export function getTask(reader: Reader, id: TaskId): Task {
  const row = reader.get<TaskRow>(`SELECT ${TASK_COLUMNS} WHERE tasks.id = :id`, { id });
  if (!row) throw new AppError("not_found", `There is no task ${id}.`);
  return toTask(row);
}

/** The last of the tasks whose source's key begins so, in the order of their keys. */
export function latestOfSource(reader: Reader, projectId: ProjectId, kind: Task["source"]["kind"], prefix: string): Task | undefined {
  const row = reader.get<TaskRow>(
    `SELECT ${TASK_COLUMNS} WHERE tasks.project_id = :projectId AND source_kind = :kind AND source_key >= :prefix AND source_key < :end
     ORDER BY source_key DESC LIMIT 1`,
    { projectId, kind, prefix, end: `${prefix}\u{10ffff}` },
  );
  return row && toTask(row);
}

export interface TaskFilter {
  readonly projectId?: ProjectId | undefined;
  readonly status?: TaskStatus | undefined;
  readonly stage?: string | undefined;
  /** Only the 100 that ended last. */
  readonly recent?: boolean | undefined;
  /** The id of the last task of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** The newest first. */
export function listTasks(reader: Reader, filter: TaskFilter): Task[] {
  const { projectId, status, stage, recent, after, limit } = filter;
  const conditions = ["tasks.sequence < :after"];
  if (projectId !== undefined) conditions.push("tasks.project_id = :projectId");
  if (status !== undefined) conditions.push("tasks.status = :status");
  // Most tasks are of one stage, so its index (which `+` rules out) serves only where there is no better one.
  if (stage !== undefined)
    conditions.push(projectId === undefined && status === undefined ? "tasks.stage = :stage" : "+tasks.stage = :stage");
  if (recent) {
    conditions.push(`tasks.sequence IN (
      SELECT sequence FROM tasks AS ended WHERE finished_at IS NOT NULL ${projectId === undefined ? "" : "AND ended.project_id = :projectId"}
      ORDER BY finished_at DESC, sequence DESC LIMIT ${RECENT_MAX}
    )`);
  }
  const params = {
    limit,
    after: after === undefined ? Number.MAX_SAFE_INTEGER : sequenceOf(reader, after),
    ...(projectId !== undefined && { projectId }),
    ...(status !== undefined && { status }),
    ...(stage !== undefined && { stage }),
  };
  const where = conditions.join(" AND ");
  return reader.all<TaskRow>(`SELECT ${TASK_COLUMNS} WHERE ${where} ORDER BY tasks.sequence DESC LIMIT :limit`, params).map(toTask);
}

/** More than this is no tree that a person could look at. */
const TREE_MAX = 1000;

/** A task with all that it and its children yielded: parents before their children, children in the order of their making. */
export function listTree(reader: Reader, id: TaskId): { readonly depth: number; readonly task: Task }[] {
  const rows = reader.all<TaskRow & { depth: number }>(
    `WITH RECURSIVE tree (id, depth, path) AS (
       SELECT id, 0, '' FROM tasks WHERE id = :id
       UNION ALL
       SELECT tasks.id, tree.depth + 1, tree.path || printf('%012d/', tasks.sequence) FROM tasks JOIN tree ON tasks.parent_id = tree.id
     )
     SELECT tree.depth, ${TASK_COLUMNS} JOIN tree ON tree.id = tasks.id ORDER BY tree.path LIMIT ${TREE_MAX}`,
    { id },
  );
  return rows.map((row) => ({ depth: row.depth, task: toTask(row) }));
}

/** The tasks of a project, or of all, that wait between two runs: queued, waiting or blocked, and begun before. */
export function listBegun(reader: Reader, projectId?: ProjectId): TaskId[] {
  const rows = reader.all<{ id: TaskId }>(
    `SELECT id FROM tasks WHERE status IN ('queued', 'waiting', 'blocked') AND epoch > 0
     ${projectId === undefined ? "" : "AND project_id = :projectId"} ORDER BY sequence`,
    { ...(projectId !== undefined && { projectId }) },
  );
  return rows.map(({ id }) => id);
}

/** Of a project, or of all. Kept up to date with each change, so it costs the same however many there are. */
export function countTasks(reader: Reader, projectId?: ProjectId): TaskCounts {
  const rows =
    projectId === undefined
      ? reader.all<CountRow>("SELECT status, count FROM task_totals")
      : reader.all<CountRow>(
          "SELECT task_totals.status, task_counts.count FROM task_totals JOIN task_counts ON task_counts.status = task_totals.status AND project_id = :projectId",
          { projectId },
        );
  const counts = new Map(rows.map((row) => [row.status, row.count]));
  return Object.fromEntries(TaskStatus.options.map((status) => [status, counts.get(status) ?? 0])) as TaskCounts;
}

/** How many tasks have one status. */
export function countWith(reader: Reader, status: TaskStatus): number {
  return reader.get<{ count: number }>("SELECT count FROM task_totals WHERE status = :status", { status })?.count ?? 0;
}

/** The branch its result is pushed to. */
export function setBranch(tx: Transaction, taskId: TaskId, branch: string): void {
  tx.run("UPDATE tasks SET branch = :branch, updated_at = :now WHERE id = :taskId", { taskId, branch, now: tx.now });
}

export function setPullRequest(tx: Transaction, taskId: TaskId, { number, url }: NonNullable<Task["pullRequest"]>): void {
  tx.run("UPDATE tasks SET pull_number = :number, pull_url = :url, updated_at = :now WHERE id = :taskId", {
    taskId,
    number,
    url,
    now: tx.now,
  });
}

function findBySource(reader: Reader, { projectId, source }: NewTask): Task | undefined {
  const row = reader.get<TaskRow>(
    `SELECT ${TASK_COLUMNS} WHERE tasks.project_id = :projectId AND tasks.source_kind = :kind AND tasks.source_key = :key`,
    { projectId, kind: source.kind, key: source.key },
  );
  return row && toTask(row);
}

function refuseUnregistered(reader: Reader, id: ProjectId): void {
  if (reader.get("SELECT 1 FROM projects WHERE id = :id AND unregistered_at IS NULL", { id })) return;
  throw new AppError("not_found", `There is no registered project ${id}. Register it first.`);
}

function insertRow(tx: Transaction, id: TaskId, task: NewTask): void {
  const { projectId, source } = task;
  tx.run("UPDATE projects SET last_number = last_number + 1 WHERE id = :projectId", { projectId });
  tx.run(
    `INSERT INTO tasks (id, project_id, number, source_kind, source_key, source_issue, source_url, source_actor, workflow, parameters, delivery,
       status, reason, stage, priority, deadline_at, run_after, queued_at, attempt_max, parent_id, created_at, updated_at, title, content_hash, needs)
     VALUES (:id, :projectId, (SELECT last_number FROM projects WHERE id = :projectId), :kind, :key, :issue, :url, :actor, :workflow, :parameters, :delivery,
       :status, :reason, :stage, :priority, :deadlineAt, :now, :now, :attemptMax, :parentId, :now, :now, :title, :contentHash, :needs)`,
    {
      id,
      projectId,
      kind: source.kind,
      key: source.key,
      issue: source.issue,
      url: source.url,
      actor: source.actor,
      ...firstStatus(tx, task),
      workflow: task.workflow,
      parameters: JSON.stringify(task.parameters ?? {}),
      delivery: task.delivery,
      stage: task.stage,
      priority: task.priority,
      deadlineAt: task.deadlineAt,
      now: tx.now,
      attemptMax: task.attemptMax,
      parentId: task.parentId,
      title: task.title,
      contentHash: contentHash(task),
      needs: JSON.stringify([...new Set(task.needs)].toSorted()),
    },
  );
}

function firstStatus(reader: Reader, { draft, dependsOn }: NewTask): { status: TaskStatus; reason: string | null } {
  if (draft) return { status: "draft", reason: null };
  const needed = reader.all<{ status: TaskStatus }>(
    "SELECT DISTINCT status FROM tasks WHERE id IN (SELECT value FROM json_each(:dependsOn))",
    {
      dependsOn: JSON.stringify(dependsOn),
    },
  );
  if (needed.some(({ status }) => status === "failed" || status === "cancelled")) return { status: "blocked", reason: "dependency_failed" };
  if (needed.some(({ status }) => status !== "succeeded")) return { status: "waiting", reason: "dependency" };
  return { status: "queued", reason: null };
}

function contentHash({ title, body }: NewTask): string {
  return createHash("sha256")
    .update(JSON.stringify([title, body]))
    .digest("hex");
}

function sequenceOf(reader: Reader, id: string): number {
  const row = reader.get<{ sequence: number }>("SELECT sequence FROM tasks WHERE id = :id", { id });
  if (!row) throw new AppError("invalid", `There is no task ${id} to list from.`);
  return row.sequence;
}

interface CountRow {
  status: TaskStatus;
  count: number;
}
