import { newId } from "../base/ids.ts";
import { AppError } from "../base/errors.ts";
import type { Effect, EffectPayload, EffectStatus } from "../contract/effect.ts";
import type { EffectId, ProjectId, TaskId } from "../contract/ids.ts";
import { appendEvent } from "./events.ts";
import type { Reader, Transaction } from "./database.ts";

export interface NewEffect {
  readonly projectId: ProjectId;
  readonly taskId: TaskId;
  readonly epoch: number;
  readonly payload: EffectPayload;
}

/** Only the first pending effect of each task: they are carried out in order. */
const HEADS = `status = 'pending' AND NOT EXISTS (
  SELECT 1 FROM effects AS earlier
  WHERE earlier.status = 'pending' AND earlier.task_id = effects.task_id AND earlier.sequence < effects.sequence
)`;

/** Stores an intention. An older pending one of the same kind and task is dropped: this one says all that it said; not so an agent's comments. */
export function enqueueEffect(tx: Transaction, { projectId, taskId, epoch, payload }: NewEffect): Effect {
  if (payload.kind !== "agent_comment") {
    tx.run("UPDATE effects SET status = 'dropped' WHERE task_id = :taskId AND kind = :kind AND status = 'pending'", {
      taskId,
      kind: payload.kind,
    });
  }
  const id = newId("effect");
  const { lastRow } = tx.run(
    `INSERT INTO effects (id, project_id, task_id, epoch, kind, payload, next_at, created_at)
     VALUES (:id, :projectId, :taskId, :epoch, :kind, :payload, :now, :now)`,
    { id, projectId, taskId, epoch, kind: payload.kind, payload: JSON.stringify(payload), now: tx.now },
  );
  const { now } = tx;
  return {
    id,
    sequence: lastRow,
    projectId,
    taskId,
    epoch,
    payload,
    status: "pending",
    attempt: 0,
    nextAt: now,
    lastError: null,
    createdAt: now,
  };
}

/**
 * What can be carried out now, the longest due first: of each task but those that are `busy` only the first that is pending.
 * Costs the same however many are due.
 */
export function nextEffects(reader: Reader, now: number, limit: number, busy: readonly string[] = []): Effect[] {
  return reader
    .all<EffectRow>(
      `SELECT * FROM effects INDEXED BY effects_by_next_time
       WHERE next_at <= :now AND ${HEADS} AND task_id NOT IN (SELECT value FROM json_each(:busy))
       ORDER BY next_at, sequence LIMIT :limit`,
      { now, limit, busy: JSON.stringify(busy) },
    )
    .map(toEffect);
}

/** Whether it still waits to be carried out. */
export function isPending(reader: Reader, id: EffectId): boolean {
  return reader.get("SELECT 1 FROM effects WHERE id = :id AND status = 'pending'", { id }) !== undefined;
}

/** The sequence of the newest effect; 0: there never was one. */
export function lastEffect(reader: Reader): number {
  return reader.get<{ sequence: number | null }>("SELECT max(sequence) AS sequence FROM effects")?.sequence ?? 0;
}

/** Whether any effect waits to be carried out. Costs the same however many there were. */
export function hasPendingEffects(reader: Reader): boolean {
  return reader.get("SELECT 1 FROM effects INDEXED BY effects_pending WHERE status = 'pending' LIMIT 1") !== undefined;
}

/** When the next effect can be carried out, which may be in the past; undefined: none is pending. */
export function nextEffectAt(reader: Reader): number | undefined {
  const row = reader.get<{ next_at: number }>(`SELECT next_at FROM effects WHERE ${HEADS} ORDER BY next_at LIMIT 1`);
  return row?.next_at;
}

export function countPendingEffects(reader: Reader): number {
  return reader.get<{ count: number }>("SELECT count(*) AS count FROM effects WHERE status = 'pending'")?.count ?? 0;
}

/** It has happened, even if it was dropped meanwhile. */
export function completeEffect(tx: Transaction, id: EffectId, { url = null }: { url?: string | null } = {}): void {
  tx.run("UPDATE effects SET status = 'done', attempt = attempt + 1, last_error = NULL WHERE id = :id AND status <> 'done'", { id });
  const { kind, ...about } = aboutEffect(tx, id);
  appendEvent(tx, { type: "effect.done", ...about, data: { kind, url } });
}

/** It did not work. `nextAt`: when to try again; null: it is given up. Says nothing of one that was dropped meanwhile. */
export function failEffect(tx: Transaction, id: EffectId, { message, nextAt }: { message: string; nextAt: number | null }): void {
  const { changes } = tx.run(
    `UPDATE effects SET attempt = attempt + 1, last_error = :message, status = iif(:nextAt IS NULL, 'failed', 'pending')
     WHERE id = :id AND status = 'pending'`,
    { id, message, nextAt },
  );
  if (changes === 0) return;
  const { kind, ...about } = aboutEffect(tx, id);
  // Those behind it wait as long, so that in an outage nobody has to look past them for what is due.
  tx.run("UPDATE effects SET next_at = :nextAt WHERE task_id = :taskId AND status = 'pending'", {
    taskId: about.taskId,
    nextAt: nextAt ?? tx.now,
  });
  appendEvent(tx, { type: "effect.failed", ...about, data: { kind, message, final: nextAt === null } });
}

/** All of a task, oldest first. */
export function listEffects(reader: Reader, taskId: TaskId): Effect[] {
  return reader.all<EffectRow>("SELECT * FROM effects WHERE task_id = :taskId ORDER BY sequence", { taskId }).map(toEffect);
}

function aboutEffect(reader: Reader, id: EffectId): Pick<Effect, "projectId" | "taskId"> & { kind: EffectPayload["kind"] } {
  const row = reader.get<Pick<EffectRow, "project_id" | "task_id"> & { kind: EffectPayload["kind"] }>(
    "SELECT project_id, task_id, kind FROM effects WHERE id = :id",
    { id },
  );
  if (!row) throw new AppError("not_found", `There is no effect ${id}.`);
  return { projectId: row.project_id, taskId: row.task_id, kind: row.kind };
}

interface EffectRow {
  sequence: number;
  id: EffectId;
  project_id: ProjectId;
  task_id: TaskId;
  epoch: number;
  payload: string;
  status: EffectStatus;
  attempt: number;
  next_at: number;
  last_error: string | null;
  created_at: number;
}

function toEffect(row: EffectRow): Effect {
  return {
    id: row.id,
    sequence: row.sequence,
    projectId: row.project_id,
    taskId: row.task_id,
    epoch: row.epoch,
    payload: JSON.parse(row.payload) as EffectPayload,
    status: row.status,
    attempt: row.attempt,
    nextAt: row.next_at,
    lastError: row.last_error,
    createdAt: row.created_at,
  };
}
