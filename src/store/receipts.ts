import { AppError } from "../base/errors.ts";
import type { MessageId, ProjectId, RunId, TaskId } from "../contract/ids.ts";
import type { DeadReason, MessageKind, Receipt } from "../contract/message.ts";
import type { Route } from "../domain/routing.ts";
import type { Reader, Transaction } from "./database.ts";
import { appendEvent } from "./events.ts";

/** So much may wait for one recipient. */
const PENDING_MAX = 50;

/**
 * Stores that somebody is to have a message, or that nobody will. Throws `conflict` when that one has or is to have it already, or has too much
 * to look at.
 */
export function addReceipt(tx: Transaction, messageId: MessageId, { to, dead }: Route): void {
  if (dead === null) refuseFull(tx, to);
  const taskId = to === "" || to === "person" ? null : to;
  const { changes } = tx.run(
    `INSERT INTO receipts (message_id, recipient, task_id, state) VALUES (:messageId, :to, :taskId, 'pending')
     ON CONFLICT (message_id, recipient) DO NOTHING`,
    { messageId, to, taskId },
  );
  if (changes === 0) throw new AppError("conflict", `${messageId} was sent to ${to === "person" ? "people" : to} already.`);
  if (dead !== null) bury(tx, messageId, to, dead);
}

/** What waits for a task, oldest first. A query that an earlier run left without an answer waits for the next one too. */
export function waitingMessages(reader: Reader, taskId: TaskId): MessageId[] {
  return reader
    .all<{ id: MessageId }>(
      `SELECT messages.id FROM receipts JOIN messages ON messages.id = message_id
       WHERE task_id = :taskId AND (state = 'pending' OR (state = 'delivered' AND kind = 'query' AND closed_at IS NULL))
       ORDER BY messages.sequence`,
      { taskId },
    )
    .map(({ id }) => id);
}

/** The same, of what nobody of the task has yet. */
export function pendingMessages(reader: Reader, taskId: TaskId): MessageId[] {
  return reader
    .all<{ id: MessageId }>("SELECT message_id AS id FROM receipts WHERE task_id = :taskId AND state = 'pending' ORDER BY sequence", {
      taskId,
    })
    .map(({ id }) => id);
}

/** The open runs whose tasks something waits for while their agents work. */
export function runsWithMail(reader: Reader): RunId[] {
  return reader
    .all<{ id: RunId }>(
      `SELECT DISTINCT runs.id FROM receipts INDEXED BY receipts_pending CROSS JOIN runs ON runs.task_id = receipts.task_id
       WHERE receipts.state = 'pending' AND finished_at IS NULL AND progress = 'working'`,
    )
    .map(({ id }) => id);
}

/** Somebody has it now: the agent of a run, or (null) whoever is no agent. Does nothing when it was had before, or is dead. */
export function deliver(tx: Transaction, messageId: MessageId, recipient: TaskId | "person", runId: RunId | null): boolean {
  const { changes } = tx.run(
    `UPDATE receipts SET state = 'delivered', run_id = :runId, delivered_at = :now, settled_at = :now
     WHERE message_id = :messageId AND recipient = :recipient AND state = 'pending'`,
    { messageId, recipient, runId, now: tx.now },
  );
  if (changes === 0) return false;
  tx.run("UPDATE message_counters SET count = count + 1 WHERE name = 'delivered'");
  note(tx, messageId, recipient, (about) => ({ type: "message.delivered", ...about, runId, data: dataOf(about) }));
  return true;
}

/** What a run was to be told and was not, since its agent never began, waits again. */
export function takeBack(tx: Transaction, runId: RunId): void {
  const { changes } = tx.run(
    "UPDATE receipts SET state = 'pending', run_id = NULL, delivered_at = NULL, settled_at = NULL WHERE run_id = :runId AND state = 'delivered'",
    { runId },
  );
  tx.run("UPDATE message_counters SET count = count - :changes WHERE name = 'delivered'", { changes });
}

/** The recipient never gets it, or never answers. */
export function bury(tx: Transaction, messageId: MessageId, recipient: string, reason: DeadReason): void {
  const { changes } = tx.run(
    `UPDATE receipts SET state = 'dead', reason = :reason, settled_at = :now WHERE message_id = :messageId AND recipient = :recipient AND state <> 'dead'`,
    { messageId, recipient, reason, now: tx.now },
  );
  if (changes === 0) return;
  tx.run("UPDATE message_counters SET count = count + 1 WHERE name = 'dead'");
  note(tx, messageId, recipient, (about) => ({ type: "message.died", ...about, data: { ...dataOf(about), reason } }));
}

/** What waits for tasks that have ended: receipts that are to be buried. */
export function receiptsOfEnded(reader: Reader): { readonly messageId: MessageId; readonly recipient: TaskId }[] {
  return reader.all(
    `SELECT message_id AS messageId, recipient FROM receipts INDEXED BY receipts_pending CROSS JOIN tasks ON tasks.id = task_id
     WHERE state = 'pending' AND tasks.status IN ('succeeded', 'failed', 'cancelled')
     UNION ALL
     SELECT message_id, recipient FROM messages INDEXED BY queries_open
       CROSS JOIN receipts ON message_id = messages.id AND state = 'delivered' CROSS JOIN tasks ON tasks.id = task_id
     WHERE kind = 'query' AND closed_at IS NULL AND tasks.status IN ('succeeded', 'failed', 'cancelled')`,
  );
}

/** Says that it was sent once more. Throws `conflict` when nothing of it is dead. */
export function markReplayed(tx: Transaction, messageId: MessageId): void {
  const { changes } = tx.run(
    "UPDATE receipts SET replayed_at = :now WHERE message_id = :messageId AND state = 'dead' AND replayed_at IS NULL",
    { messageId, now: tx.now },
  );
  if (changes === 0) throw new AppError("conflict", `${messageId} is no dead letter, or was sent once more already.`);
}

/** The dead letters that nobody has sent once more, the newest first; `after`: the sequence of the last one of the page before. */
export function listDead(
  reader: Reader,
  { projectId, after, limit }: { projectId?: ProjectId | undefined; after?: number | undefined; limit: number },
): {
  readonly sequence: number;
  readonly messageId: MessageId;
  readonly recipient: string;
  readonly reason: DeadReason;
  readonly at: number;
}[] {
  return reader.all(
    `SELECT receipts.sequence, message_id AS messageId, ${RECIPIENT} AS recipient, receipts.reason, settled_at AS at
     FROM receipts ${JOINS} JOIN messages ON messages.id = message_id
     WHERE state = 'dead' AND replayed_at IS NULL AND receipts.sequence < :after
       ${projectId === undefined ? "" : "AND messages.project_id = :projectId"}
     ORDER BY receipts.sequence DESC LIMIT :limit`,
    { after: after ?? Number.MAX_SAFE_INTEGER, limit, ...(projectId !== undefined && { projectId }) },
  );
}

export function receiptsOf(reader: Reader, messageId: MessageId): Receipt[] {
  const rows = reader.all<ReceiptRow>(
    `SELECT receipts.task_id, ${RECIPIENT} AS recipient, state, receipts.reason, run_id, delivered_at, replayed_at
     FROM receipts ${JOINS} WHERE message_id = :messageId ORDER BY receipts.sequence`,
    { messageId },
  );
  return rows.map((row) => ({
    taskId: row.task_id,
    recipient: row.recipient,
    state: row.state,
    reason: row.reason,
    runId: row.run_id,
    deliveredAt: row.delivered_at,
    replayedAt: row.replayed_at,
  }));
}

/** As people know it: `api#3`, `person`. */
const RECIPIENT = "coalesce(projects.name || '#' || tasks.number, receipts.recipient)";
const JOINS = "LEFT JOIN tasks ON tasks.id = receipts.task_id LEFT JOIN projects ON projects.id = tasks.project_id";

interface ReceiptRow {
  task_id: TaskId | null;
  recipient: string;
  state: Receipt["state"];
  reason: DeadReason | null;
  run_id: RunId | null;
  delivered_at: number | null;
  replayed_at: number | null;
}

interface About {
  readonly id: MessageId;
  readonly kind: MessageKind;
  readonly to: string;
  readonly projectId: ProjectId;
  readonly taskId: TaskId | null;
}

function note(tx: Transaction, messageId: MessageId, recipient: string, event: (about: About) => Parameters<typeof appendEvent>[1]): void {
  const about = tx.get<About>(
    `SELECT messages.id, kind, ${RECIPIENT} AS "to", messages.project_id AS projectId, receipts.task_id AS taskId
     FROM receipts ${JOINS} JOIN messages ON messages.id = message_id WHERE message_id = :messageId AND recipient = :recipient`,
    { messageId, recipient },
  );
  if (about) appendEvent(tx, event(about));
}

function dataOf({ id, kind, to }: About) {
  return { id, kind, to };
}

function refuseFull(tx: Transaction, recipient: Route["to"]): void {
  const waiting =
    tx.get<{ count: number }>(
      `SELECT count(*) AS count FROM receipts JOIN messages ON messages.id = message_id
       WHERE recipient = :recipient AND (state = 'pending' OR (kind = 'query' AND closed_at IS NULL AND state = 'delivered'))`,
      { recipient },
    )?.count ?? 0;
  if (waiting < PENDING_MAX) return;
  throw new AppError(
    "conflict",
    `${waiting} messages wait for ${recipient === "person" ? "people" : "that task"} already. Try again later.`,
  );
}
