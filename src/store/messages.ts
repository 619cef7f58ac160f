import { AppError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { MessageId, ProjectId, TaskId } from "../contract/ids.ts";
import type { Message, MessageCounters, MessageKind, MessagePayload, Recipient, Sender } from "../contract/message.ts";
import type { Waiting } from "../domain/routing.ts";
import type { Reader, Transaction } from "./database.ts";
import { appendEvent } from "./events.ts";
import { receiptsOf } from "./receipts.ts";

/** So many messages one task may have sent that are still kept. */
const SENT_MAX = 200;

export interface MessageDraft {
  readonly projectId: ProjectId;
  readonly sender: Sender;
  /** The task of its run; null: a person sends it. */
  readonly senderTaskId: TaskId | null;
  readonly recipient: Recipient;
  readonly payload: MessagePayload;
}

/** Stores what is said. Who is to have it is told by receipts. Throws `conflict` when its sender has said too much. */
export function insertMessage(tx: Transaction, { projectId, sender, senderTaskId, recipient, payload }: MessageDraft): MessageId {
  if (senderTaskId !== null) refuseFlood(tx, senderTaskId);
  const id = newId("message");
  const runId = sender.by === "person" ? null : sender.runId;
  tx.run(
    `INSERT INTO messages (id, project_id, sender, sender_task_id, sender_run_id, sent_to, kind, payload, expires_at, created_at)
     VALUES (:id, :projectId, :sender, :senderTaskId, :runId, :sentTo, :kind, :payload, :expiresAt, :now)`,
    {
      id,
      projectId,
      sender: JSON.stringify(sender),
      senderTaskId,
      runId,
      sentTo: JSON.stringify(recipient),
      kind: payload.kind,
      payload: JSON.stringify(payload),
      expiresAt: payload.kind === "query" ? tx.now + payload.timeoutMs : null,
      now: tx.now,
    },
  );
  countMessage(tx, "sent");
  const about = { projectId, taskId: senderTaskId, runId };
  appendEvent(tx, { type: "message.sent", ...about, data: { id, kind: payload.kind, from: nameOf(sender), to: recipient } });
  return id;
}

/** Throws `not_found`. */
export function getMessage(reader: Reader, id: string): Message {
  const row = reader.get<MessageRow>(`${SELECT} WHERE messages.id = :id`, { id });
  if (!row) throw new AppError("not_found", `There is no message ${JSON.stringify(id)}. List them with: drover message list`);
  return toMessage(reader, row);
}

export interface MessageFilter {
  readonly projectId?: ProjectId | undefined;
  /** Sent by it, or to be had by it. */
  readonly taskId?: TaskId | undefined;
  readonly kind?: MessageKind | undefined;
  /** Only queries that want an answer. */
  readonly open?: boolean | undefined;
  /** The id of the last one of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** The newest first. */
export function listMessages(reader: Reader, { projectId, taskId, kind, open, after, limit }: MessageFilter): Message[] {
  const conditions = ["messages.sequence < coalesce((SELECT sequence FROM messages WHERE id = :after), 9e15)"];
  if (projectId !== undefined) conditions.push("project_id = :projectId");
  if (taskId !== undefined)
    conditions.push("(sender_task_id = :taskId OR messages.id IN (SELECT message_id FROM receipts WHERE task_id = :taskId))");
  if (kind !== undefined) conditions.push("kind = :kind");
  if (open) conditions.push("kind = 'query' AND closed_at IS NULL");
  return reader
    .all<MessageRow>(`${SELECT} WHERE ${conditions.join(" AND ")} ORDER BY messages.sequence DESC LIMIT :limit`, {
      after: after ?? null,
      limit,
      ...(projectId !== undefined && { projectId }),
      ...(taskId !== undefined && { taskId }),
      ...(kind !== undefined && { kind }),
    })
    .map((row) => toMessage(reader, row));
}

/** Answers a query. Throws `conflict` when that comes too late, or it is none. */
export function answerQuery(tx: Transaction, id: MessageId, { text, by }: { text: string; by: string }): void {
  const { payload, answer, closedAt, projectId, sender } = getMessage(tx, id);
  if (payload.kind !== "query") throw new AppError("conflict", `${id} is no query: a ${payload.kind} wants no answer.`);
  if (answer) throw new AppError("conflict", `${id} was answered already, by ${answer.by}.`);
  if (closedAt !== null) throw new AppError("conflict", `${id} waits for no answer any more.`);
  tx.run("UPDATE messages SET answer = :text, answered_by = :by, closed_at = :now WHERE id = :id", { id, text, by, now: tx.now });
  countMessage(tx, "answered");
  const runId = sender.by === "person" ? null : sender.runId;
  appendEvent(tx, { type: "message.answered", projectId, ...(runId && { runId }), data: { id, by } });
}

/** Nobody will answer a query any more. */
export function closeQuery(tx: Transaction, id: MessageId): void {
  tx.run("UPDATE messages SET closed_at = :now WHERE id = :id AND kind = 'query' AND closed_at IS NULL", { id, now: tx.now });
}

/** A query that is sent once more waits anew, as long as it did at first. */
export function reopenQuery(tx: Transaction, id: MessageId): void {
  tx.run(
    `UPDATE messages SET closed_at = NULL, expires_at = :now + json_extract(payload, '$.timeoutMs')
     WHERE id = :id AND kind = 'query' AND answer IS NULL`,
    { id, now: tx.now },
  );
}

/** The queries whose time is over, and that nobody has answered. */
export function overdueQueries(reader: Reader, now: number): MessageId[] {
  return reader
    .all<{ id: MessageId }>("SELECT id FROM messages WHERE kind = 'query' AND closed_at IS NULL AND expires_at <= :now", { now })
    .map(({ id }) => id);
}

/** When the next open query is overdue; undefined: there is none. */
export function nextExpiry(reader: Reader): number | undefined {
  return (
    reader.get<{ at: number | null }>("SELECT min(expires_at) AS at FROM messages WHERE kind = 'query' AND closed_at IS NULL")?.at ??
    undefined
  );
}

/** Which task waits for which: their agents asked, and have no answer yet. */
export function waitingTasks(reader: Reader): Waiting[] {
  return reader.all<Waiting>(
    `SELECT sender_task_id AS "from", receipts.task_id AS "to" FROM messages
     JOIN runs ON runs.id = sender_run_id AND finished_at IS NULL
     JOIN receipts ON message_id = messages.id AND receipts.task_id IS NOT NULL AND receipts.state <> 'dead'
     WHERE messages.kind = 'query' AND closed_at IS NULL`,
  );
}

export function messageCounters(reader: Reader): MessageCounters {
  const rows = reader.all<{ name: string; count: number }>("SELECT name, count FROM message_counters");
  return Object.fromEntries(rows.map(({ name, count }) => [name, count])) as MessageCounters;
}

/** Forgets at most `limit` messages from before a time of which nothing is left to do, and returns how many those were. */
export function forgetMessages(tx: Transaction, before: number, limit: number): number {
  const { changes } = tx.run(
    `DELETE FROM messages WHERE sequence IN (
       SELECT sequence FROM messages WHERE created_at < :before AND (kind <> 'query' OR closed_at IS NOT NULL)
         AND NOT EXISTS (SELECT 1 FROM receipts WHERE message_id = messages.id AND state = 'pending')
       ORDER BY sequence LIMIT :limit)`,
    { before, limit },
  );
  return changes;
}

/** A sender as people know it: `cli`, `api#3`. */
export function nameOf(sender: Sender): string {
  return sender.by === "person" ? sender.name : sender.task;
}

function countMessage(tx: Transaction, name: keyof MessageCounters): void {
  tx.run("UPDATE message_counters SET count = count + 1 WHERE name = :name", { name });
}

function refuseFlood(tx: Transaction, taskId: TaskId): void {
  const sent = tx.get<{ count: number }>("SELECT count(*) AS count FROM messages WHERE sender_task_id = :taskId", { taskId })?.count ?? 0;
  if (sent < SENT_MAX) return;
  throw new AppError("conflict", `This task has sent ${sent} messages, which is all it may. Put the rest into your report.`);
}

const SELECT = "SELECT messages.*, projects.name AS project FROM messages CROSS JOIN projects ON projects.id = messages.project_id";

interface MessageRow {
  id: MessageId;
  project_id: ProjectId;
  project: string;
  sender: string;
  sent_to: string;
  payload: string;
  expires_at: number | null;
  closed_at: number | null;
  answer: string | null;
  answered_by: string | null;
  created_at: number;
}

function toMessage(reader: Reader, row: MessageRow): Message {
  const { answer, answered_by: by, closed_at: closedAt } = row;
  return {
    id: row.id,
    projectId: row.project_id,
    project: row.project,
    sender: JSON.parse(row.sender) as Sender,
    recipient: JSON.parse(row.sent_to) as Recipient,
    payload: JSON.parse(row.payload) as MessagePayload,
    receipts: receiptsOf(reader, row.id),
    expiresAt: row.expires_at,
    answer: answer === null || by === null ? null : { text: answer, by, at: closedAt ?? row.created_at },
    closedAt,
    createdAt: row.created_at,
  };
}
