import { newId } from "../base/ids.ts";
import type { NoticeId } from "../contract/ids.ts";
import type { Alert } from "../contract/event.ts";
import type { NoticeContent } from "../contract/notice.ts";
import { channelsFor, channelsToldOf, noteAttempt } from "./channels.ts";
import { appendEvent } from "./events.ts";
import type { Reader, Transaction } from "./database.ts";

/** A stored intention to tell a channel of alerts of one kind, carried out after the commit that stored it. */
export interface Notice {
  readonly id: NoticeId;
  readonly channel: string;
  readonly kind: string;
  readonly change: "raised" | "resolved";
  /** Null while it gathers alerts; then the same for each attempt. */
  readonly content: NoticeContent | null;
  /** Attempts so far. */
  readonly attempt: number;
  readonly nextAt: number;
  readonly createdAt: number;
}

type AboutAlert = Pick<Alert, "id" | "kind" | "projectId">;

/** For as long as this what was sent is kept, and longer while an alert of it is open, whose end is to be told. */
const KEPT_MS = 7 * 24 * 3_600_000;

/** Stores the intention to tell of a new alert, for each channel that it goes to. */
export function noticeRaised(tx: Transaction, alert: AboutAlert): void {
  for (const channel of channelsFor(tx, alert)) gather(tx, channel, alert, "raised");
}

/** Stores the intention to say that an alert is resolved, to who was told of it; who was not told yet never is. */
export function noticeResolved(tx: Transaction, alert: AboutAlert): void {
  tx.run(
    `DELETE FROM notice_alerts WHERE alert_id = :id
     AND notice_id IN (SELECT id FROM notices WHERE status = 'pending' AND content IS NULL AND change = 'raised')`,
    { id: alert.id },
  );
  tx.run(
    `UPDATE notices SET status = 'dropped', settled_at = :now
     WHERE status = 'pending' AND content IS NULL AND NOT EXISTS (SELECT 1 FROM notice_alerts WHERE notice_id = notices.id)`,
    { now: tx.now },
  );
  for (const channel of channelsToldOf(tx, alert.id)) gather(tx, channel, alert, "resolved");
}

/** What is due now: of each channel only its first, so that they are sent in order. */
export function dueNotices(reader: Reader, now: number): Notice[] {
  return firstNotices(reader).filter(({ nextAt }) => nextAt <= now);
}

/** When the next one is due, which may be in the past; undefined: none is pending. */
export function nextNoticeAt(reader: Reader): number | undefined {
  const times = firstNotices(reader).map(({ nextAt }) => nextAt);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The sequence of the newest one; 0: there never was one. */
export function lastNotice(reader: Reader): number {
  return reader.get<{ sequence: number | null }>("SELECT max(sequence) AS sequence FROM notices")?.sequence ?? 0;
}

/** When a channel was sent something since, the latest first. */
export function sentSince(reader: Reader, channel: string, since: number): number[] {
  return reader
    .all<{ at: number }>(
      "SELECT settled_at AS at FROM notices WHERE channel = :channel AND status = 'done' AND settled_at > :since ORDER BY settled_at DESC",
      { channel, since },
    )
    .map(({ at }) => at);
}

/** How many alerts one gathers. */
export function countAlerts(reader: Reader, id: NoticeId): number {
  return reader.get<{ count: number }>("SELECT count(*) AS count FROM notice_alerts WHERE notice_id = :id", { id })?.count ?? 0;
}

/** Fixes what it says: no further alert joins it. */
export function fixContent(tx: Transaction, id: NoticeId, content: NoticeContent): void {
  tx.run("UPDATE notices SET content = :content WHERE id = :id AND content IS NULL", { id, content: JSON.stringify(content) });
}

/** Drops what else is due for its channel. Returns how many raised alerts the channel is thereby not told of. */
export function holdBackOthers(tx: Transaction, { id, channel }: Notice): number {
  const others = tx.all<{ id: NoticeId }>(
    "SELECT id FROM notices WHERE channel = :channel AND status = 'pending' AND content IS NULL AND next_at <= :now AND id <> :id",
    { id, channel, now: tx.now },
  );
  const ids = JSON.stringify(others.map((other) => other.id));
  tx.run("UPDATE notices SET status = 'dropped', settled_at = :now WHERE id IN (SELECT value FROM json_each(:ids))", { ids, now: tx.now });
  const held = tx.get<{ count: number }>(
    `SELECT count(*) AS count FROM notice_alerts JOIN notices ON notices.id = notice_id
     WHERE change = 'raised' AND notice_id IN (SELECT value FROM json_each(:ids))`,
    { ids },
  );
  return held?.count ?? 0;
}

export function putOffNotice(tx: Transaction, id: NoticeId, nextAt: number): void {
  tx.run("UPDATE notices SET next_at = :nextAt WHERE id = :id AND status = 'pending'", { id, nextAt });
}

/** The channel has it. */
export function completeNotice(tx: Transaction, { id, channel }: Notice, { kind, change, count, heldBack }: NoticeContent): void {
  tx.run(
    "UPDATE notices SET status = 'done', attempt = attempt + 1, last_error = NULL, settled_at = :now WHERE id = :id AND status <> 'done'",
    { id, now: tx.now },
  );
  noteAttempt(tx, channel, null);
  appendEvent(tx, { type: "notice.sent", data: { channel, kind, change, count, heldBack } });
  forgetOld(tx);
}

/** It did not work. `nextAt`: when to try again; null: it is given up. Says nothing of one that was dropped meanwhile. */
export function failNotice(tx: Transaction, { id, channel, kind }: Notice, failure: { message: string; nextAt: number | null }): void {
  const { message, nextAt } = failure;
  const { changes } = tx.run(
    `UPDATE notices SET attempt = attempt + 1, last_error = :message, next_at = coalesce(:nextAt, next_at),
       status = iif(:nextAt IS NULL, 'failed', 'pending'), settled_at = iif(:nextAt IS NULL, :now, NULL)
     WHERE id = :id AND status = 'pending'`,
    { id, message, nextAt, now: tx.now },
  );
  if (changes === 0) return;
  noteAttempt(tx, channel, message);
  appendEvent(tx, { type: "notice.failed", data: { channel, kind, message, final: nextAt === null } });
}

/** Lets an alert join the notice that its channel gathers, or begins one. */
function gather(tx: Transaction, channel: { name: string; gatherMs: number }, alert: AboutAlert, change: Notice["change"]): void {
  const about = { channel: channel.name, kind: alert.kind, change };
  tx.run(
    `INSERT INTO notices (id, channel, kind, change, next_at, created_at) VALUES (:id, :channel, :kind, :change, :nextAt, :now)
     ON CONFLICT (channel, kind, change) WHERE status = 'pending' AND content IS NULL DO NOTHING`,
    { ...about, id: newId("notice"), nextAt: tx.now + channel.gatherMs, now: tx.now },
  );
  tx.run(
    `INSERT INTO notice_alerts (alert_id, notice_id)
     SELECT :alertId, id FROM notices
     WHERE channel = :channel AND kind = :kind AND change = :change AND status = 'pending' AND content IS NULL`,
    { ...about, alertId: alert.id },
  );
}

function firstNotices(reader: Reader): Notice[] {
  return reader
    .all<NoticeRow>(
      `SELECT * FROM notices WHERE sequence IN (SELECT min(sequence) FROM notices WHERE status = 'pending' GROUP BY channel)
       ORDER BY next_at, sequence`,
    )
    .map(toNotice);
}

function forgetOld(tx: Transaction): void {
  tx.run(
    `DELETE FROM notices WHERE status <> 'pending' AND settled_at < :before AND NOT EXISTS (
       SELECT 1 FROM notice_alerts JOIN alerts ON alerts.id = alert_id WHERE notice_id = notices.id AND resolved_at IS NULL
     )`,
    { before: tx.now - KEPT_MS },
  );
}

interface NoticeRow {
  id: NoticeId;
  channel: string;
  kind: string;
  change: "raised" | "resolved";
  content: string | null;
  attempt: number;
  next_at: number;
  created_at: number;
}

function toNotice(row: NoticeRow): Notice {
  return {
    id: row.id,
    channel: row.channel,
    kind: row.kind,
    change: row.change,
    content: row.content === null ? null : (JSON.parse(row.content) as NoticeContent),
    attempt: row.attempt,
    nextAt: row.next_at,
    createdAt: row.created_at,
  };
}
