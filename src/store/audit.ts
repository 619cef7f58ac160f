import type { AuditEntry } from "../contract/event.ts";
import type { Reader, Transaction } from "./database.ts";

export type NewAuditEntry = Pick<AuditEntry, "actor" | "action" | "subject" | "detail">;

/** Writes down who did what to which thing. */
export function appendAudit(tx: Transaction, { actor, action, subject, detail }: NewAuditEntry): void {
  tx.run("INSERT INTO audit (at, actor, action, subject, detail) VALUES (:at, :actor, :action, :subject, :detail)", {
    at: tx.now,
    actor,
    action,
    subject,
    detail: JSON.stringify(detail),
  });
}

/** The newest first; `after`: the sequence of the last entry of the page before. */
export function listAudit(reader: Reader, { after, limit }: { after?: number | undefined; limit: number }): AuditEntry[] {
  return reader
    .all<AuditRow>("SELECT * FROM audit WHERE sequence < :after ORDER BY sequence DESC LIMIT :limit", {
      after: after ?? Number.MAX_SAFE_INTEGER,
      limit,
    })
    .map(toEntry);
}

type AuditRow = Omit<AuditEntry, "detail"> & { detail: string };

function toEntry(row: AuditRow): AuditEntry {
  const { sequence, at, actor, action, subject } = row;
  return { sequence, at, actor, action, subject, detail: JSON.parse(row.detail) as AuditEntry["detail"] };
}
