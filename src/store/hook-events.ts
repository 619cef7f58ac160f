import type { HookCategory, HookEvent, NewHookEvent } from "../contract/hook.ts";
import type { ProjectId, RunId, TaskId } from "../contract/ids.ts";
import type { Run } from "../contract/run.ts";
import type { Reader, Transaction } from "./database.ts";

type RunIdentity = Pick<Run, "id" | "epoch">;

/**
 * Stores what was told of an open run. False, and nothing stored, when the run has ended or its task was claimed anew:
 * nobody speaks for it any more.
 */
export function recordHookEvents(tx: Transaction, run: RunIdentity, events: readonly NewHookEvent[]): boolean {
  const row = tx.get<{ task_id: string; project_id: string; agent: string }>(
    `SELECT task_id, runs.project_id, agent FROM runs CROSS JOIN tasks ON tasks.id = task_id
     WHERE runs.id = :id AND runs.epoch = :epoch AND runs.finished_at IS NULL AND tasks.epoch = :epoch`,
    { id: run.id, epoch: run.epoch },
  );
  if (!row) return false;
  for (const { source, category, name, tool, detail } of events) {
    tx.run(
      `INSERT INTO hook_events (at, run_id, task_id, project_id, agent, source, category, name, tool, detail)
       VALUES (:at, :runId, :taskId, :projectId, :agent, :source, :category, :name, :tool, :detail)`,
      {
        at: tx.now,
        runId: run.id,
        taskId: row.task_id,
        projectId: row.project_id,
        agent: row.agent,
        source,
        category,
        name,
        tool,
        detail: JSON.stringify(detail),
      },
    );
  }
  return true;
}

/**
 * The same for what was read from the run's spool, from `from` to `end` (bytes): taken in once, however many daemons read
 * it, because the place that was read to moves in the same transaction. False, and nothing stored, when it is not at `from`.
 */
export function recordSpooledHooks(
  tx: Transaction,
  run: RunIdentity,
  spooled: { readonly from: number; readonly end: number; readonly events: readonly NewHookEvent[] },
): boolean {
  const { from, end, events } = spooled;
  const { changes } = tx.run("UPDATE runs SET hook_offset = :end WHERE id = :id AND hook_offset = :from AND finished_at IS NULL", {
    id: run.id,
    from,
    end,
  });
  return changes === 1 && recordHookEvents(tx, run, events);
}

/** Up to where the spool of a run has been taken in, bytes. */
export function hookOffset(reader: Reader, runId: RunId): number {
  return reader.get<{ hook_offset: number }>("SELECT hook_offset FROM runs WHERE id = :runId", { runId })?.hook_offset ?? 0;
}

export interface HookFilter {
  readonly runId?: RunId | undefined;
  readonly taskId?: TaskId | undefined;
  readonly category?: HookCategory | undefined;
  /** The sequence of the last one of the page before. */
  readonly after?: number | undefined;
  readonly limit: number;
}

/** Of a run or a task, in the order of taking in. */
export function listHookEvents(reader: Reader, { runId, taskId, category, after = 0, limit }: HookFilter): HookEvent[] {
  const conditions = ["sequence > :after"];
  if (runId !== undefined) conditions.push("run_id = :runId");
  if (taskId !== undefined) conditions.push("task_id = :taskId");
  if (category !== undefined) conditions.push("category = :category");
  return reader
    .all<HookRow>(`SELECT * FROM hook_events WHERE ${conditions.join(" AND ")} ORDER BY sequence LIMIT :limit`, {
      after,
      limit,
      ...(runId !== undefined && { runId }),
      ...(taskId !== undefined && { taskId }),
      ...(category !== undefined && { category }),
    })
    .map(toHookEvent);
}

/** The newest of a task, in the order of taking in. */
export function latestHookEvents(reader: Reader, taskId: TaskId, limit: number): HookEvent[] {
  return reader
    .all<HookRow>("SELECT * FROM hook_events WHERE task_id = :taskId ORDER BY sequence DESC LIMIT :limit", { taskId, limit })
    .map(toHookEvent)
    .toReversed();
}

/** Forgets at most `limit` of those from before a time, the oldest first, and returns how many those were. */
export function forgetHookEvents(tx: Transaction, before: number, limit: number): number {
  const { changes } = tx.run(
    "DELETE FROM hook_events WHERE sequence IN (SELECT sequence FROM hook_events WHERE at < :before ORDER BY at LIMIT :limit)",
    { before, limit },
  );
  return changes;
}

interface HookRow {
  sequence: number;
  at: number;
  run_id: RunId;
  task_id: TaskId;
  project_id: ProjectId;
  agent: string;
  source: HookEvent["source"];
  category: HookCategory;
  name: string;
  tool: string | null;
  detail: string;
}

function toHookEvent(row: HookRow): HookEvent {
  return {
    sequence: row.sequence,
    at: row.at,
    runId: row.run_id,
    taskId: row.task_id,
    projectId: row.project_id,
    agent: row.agent,
    source: row.source,
    category: row.category,
    name: row.name,
    tool: row.tool,
    detail: JSON.parse(row.detail) as HookEvent["detail"],
  };
}
