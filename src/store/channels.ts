import type { ProjectId } from "../contract/ids.ts";
import type { Reader, Transaction } from "./database.ts";

/** What decides which alerts a channel is told of, and when. */
export interface ChannelRoute {
  readonly name: string;
  /** Empty: all. */
  readonly kinds: readonly string[];
  /** Names; empty: all, and what belongs to no project. */
  readonly projects: readonly string[];
  readonly tellsResolved: boolean;
  /** How long alerts are gathered into one notice, milliseconds. */
  readonly gatherMs: number;
}

/** How it goes with a channel. */
export interface ChannelRecord {
  readonly name: string;
  readonly pending: number;
  readonly lastSentAt: number | null;
  /** Attempts that failed since one that did not. */
  readonly failures: number;
  readonly lastError: string | null;
}

/** Takes over which channels there are. What waited for one that is gone is dropped; a new one is told of what comes from now on. */
export function setChannels(tx: Transaction, channels: readonly ChannelRoute[]): void {
  const names = JSON.stringify(channels.map(({ name }) => name));
  tx.run("DELETE FROM channels WHERE name NOT IN (SELECT value FROM json_each(:names))", { names });
  tx.run(
    `UPDATE notices SET status = 'dropped', settled_at = :now
     WHERE status = 'pending' AND channel NOT IN (SELECT value FROM json_each(:names))`,
    { names, now: tx.now },
  );
  for (const { name, kinds, projects, tellsResolved, gatherMs } of channels) {
    tx.run(
      `INSERT INTO channels (name, only_kinds, only_projects, tells_resolved, gather_ms)
       VALUES (:name, :kinds, :projects, :tellsResolved, :gatherMs)
       ON CONFLICT (name) DO UPDATE SET only_kinds = excluded.only_kinds, only_projects = excluded.only_projects,
         tells_resolved = excluded.tells_resolved, gather_ms = excluded.gather_ms`,
      { name, kinds: JSON.stringify(kinds), projects: JSON.stringify(projects), tellsResolved: Number(tellsResolved), gatherMs },
    );
  }
}

/** The channels that an alert goes to. */
export function channelsFor(reader: Reader, alert: { kind: string; projectId: ProjectId | null }): { name: string; gatherMs: number }[] {
  return reader.all<{ name: string; gatherMs: number }>(
    `SELECT name, gather_ms AS gatherMs FROM channels
     WHERE (only_kinds = '[]' OR :kind IN (SELECT value FROM json_each(only_kinds)))
       AND (only_projects = '[]'
         OR (SELECT projects.name FROM projects WHERE id = :projectId) IN (SELECT value FROM json_each(only_projects)))
     ORDER BY name`,
    { kind: alert.kind, projectId: alert.projectId },
  );
}

/** The channels that an alert was sent to, or may have been, and that want to hear that it is resolved. */
export function channelsToldOf(reader: Reader, alertId: string): { name: string; gatherMs: number }[] {
  return reader.all<{ name: string; gatherMs: number }>(
    `SELECT name, gather_ms AS gatherMs FROM channels
     WHERE tells_resolved = 1 AND name IN (
       SELECT channel FROM notice_alerts JOIN notices ON notices.id = notice_id
       WHERE alert_id = :alertId AND change = 'raised' AND content IS NOT NULL AND status IN ('pending', 'done')
     ) ORDER BY name`,
    { alertId },
  );
}

export function listChannels(reader: Reader): ChannelRecord[] {
  return reader.all<ChannelRecord>(
    `SELECT name, failures, last_error AS lastError,
       (SELECT count(*) FROM notices WHERE channel = name AND status = 'pending') AS pending,
       (SELECT max(settled_at) FROM notices WHERE channel = name AND status = 'done') AS lastSentAt
     FROM channels ORDER BY name`,
  );
}

/** Notes how an attempt went. */
export function noteAttempt(tx: Transaction, name: string, error: string | null): void {
  tx.run("UPDATE channels SET failures = iif(:error IS NULL, 0, failures + 1), last_error = :error WHERE name = :name", { name, error });
}
