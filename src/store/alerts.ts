import { AppError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { Alert } from "../contract/event.ts";
import type { NoticeId, ProjectId, TaskId } from "../contract/ids.ts";
import { appendEvent } from "./events.ts";
import type { Reader, Transaction } from "./database.ts";
import { noticeRaised, noticeResolved } from "./notices.ts";

export interface NewAlert {
  readonly kind: string;
  /** What it is about; with `kind` it tells one alert from another. */
  readonly subject: string;
  readonly message: string;
  readonly projectId?: ProjectId;
  readonly taskId?: TaskId;
}

/** Opens an alert, of which channels are told, or counts up the open one of this kind and subject, which then has the newer message. */
export function raiseAlert(tx: Transaction, alert: NewAlert): void {
  const { kind, subject, message, projectId, taskId } = alert;
  const repeated = tx.run(
    `UPDATE alerts SET count = count + 1, last_at = :now, message = :message
     WHERE kind = :kind AND subject = :subject AND resolved_at IS NULL`,
    { now: tx.now, kind, subject, message },
  );
  if (repeated.changes > 0) return;
  const id = newId("alert");
  tx.run(
    `INSERT INTO alerts (id, kind, subject, message, project_id, task_id, raised_at, last_at)
     VALUES (:id, :kind, :subject, :message, :projectId, :taskId, :now, :now)`,
    { id, kind, subject, message, projectId: projectId ?? null, taskId: taskId ?? null, now: tx.now },
  );
  appendEvent(tx, { type: "alert.raised", ...(projectId && { projectId }), ...(taskId && { taskId }), data: { kind, message } });
  noticeRaised(tx, { id, kind, projectId: projectId ?? null });
}

/** Resolves the open alert of this kind and subject, if there is one; channels that were told of it are told so. */
export function resolveAlerts(tx: Transaction, kind: string, subject: string): void {
  const where = "kind = :kind AND subject = :subject AND resolved_at IS NULL";
  const open = tx.get<AlertRow>(`SELECT * FROM alerts WHERE ${where}`, { kind, subject });
  if (!open) return;
  tx.run(`UPDATE alerts SET resolved_at = :now WHERE ${where}`, { kind, subject, now: tx.now });
  const { id, projectId, taskId } = toAlert(open);
  appendEvent(tx, { type: "alert.resolved", projectId, taskId, data: { kind } });
  noticeResolved(tx, { id, kind, projectId });
}

/** Resolves one alert. Throws `not_found`, and `conflict` when it is resolved already. */
export function dismissAlert(tx: Transaction, id: string): Alert {
  const row = tx.get<AlertRow>("SELECT * FROM alerts WHERE id = :id", { id });
  if (!row) throw new AppError("not_found", `There is no alert ${JSON.stringify(id)}. List them with: drover alert list`);
  if (row.resolved_at !== null) throw new AppError("conflict", `The alert ${id} is resolved already.`);
  resolveAlerts(tx, row.kind, row.subject);
  return toAlert({ ...row, resolved_at: tx.now });
}

/** The newest first; `after`: the id of the last alert of the page before. */
export function listAlerts(reader: Reader, { open, after, limit }: { open: boolean; after?: string | undefined; limit: number }): Alert[] {
  return reader
    .all<AlertRow>(
      `SELECT * FROM alerts
       WHERE ${open ? "resolved_at IS NULL AND" : ""} sequence < coalesce((SELECT sequence FROM alerts WHERE id = :after), 9e15)
       ORDER BY sequence DESC LIMIT :limit`,
      { after: after ?? null, limit },
    )
    .map(toAlert);
}

/** Those of a kind that are open. */
export function openAlerts(reader: Reader, kind: string): Alert[] {
  return reader
    .all<AlertRow>("SELECT * FROM alerts INDEXED BY alerts_open WHERE kind = :kind AND resolved_at IS NULL ORDER BY sequence", { kind })
    .map(toAlert);
}

/** The first alerts that a notice is about. */
export function alertsOf(reader: Reader, noticeId: NoticeId, limit: number): Alert[] {
  return reader
    .all<AlertRow>(
      `SELECT alerts.* FROM notice_alerts JOIN alerts ON alerts.id = alert_id
       WHERE notice_id = :noticeId ORDER BY alerts.sequence LIMIT :limit`,
      { noticeId, limit },
    )
    .map(toAlert);
}

/** What the open alerts of a kind are about. */
export function openSubjects(reader: Reader, kind: string): string[] {
  return reader
    .all<{ subject: string }>("SELECT subject FROM alerts WHERE kind = :kind AND resolved_at IS NULL ORDER BY sequence", { kind })
    .map(({ subject }) => subject);
}

export function countOpenAlerts(reader: Reader): number {
  return reader.get<{ count: number }>("SELECT count(*) AS count FROM alerts WHERE resolved_at IS NULL")?.count ?? 0;
}

interface AlertRow {
  id: string;
  kind: string;
  subject: string;
  message: string;
  count: number;
  project_id: ProjectId | null;
  task_id: TaskId | null;
  raised_at: number;
  last_at: number;
  resolved_at: number | null;
}

function toAlert(row: AlertRow): Alert {
  return {
    id: row.id,
    kind: row.kind,
    subject: row.subject,
    message: row.message,
    count: row.count,
    projectId: row.project_id,
    taskId: row.task_id,
    raisedAt: row.raised_at,
    lastAt: row.last_at,
    resolvedAt: row.resolved_at,
  };
}
