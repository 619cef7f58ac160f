import { freshAccount, type AccountState } from "../domain/governor.ts";
import { appendEvent } from "./events.ts";
import type { Reader, Transaction } from "./database.ts";
import type { RunId } from "../contract/ids.ts";

/** The state of a provider's account, with what the provider said last when it refused. */
export type StoredAccount = AccountState & { readonly message: string | null };

/** Every account that was ever refused anything, by its key. */
export function loadAccounts(reader: Reader): Map<string, StoredAccount> {
  return new Map(reader.all<AccountRow>("SELECT * FROM accounts ORDER BY key").map((row) => [row.key, toAccount(row)]));
}

/** One of them; a fresh one when it never was. */
export function findAccount(reader: Reader, key: string): StoredAccount {
  const row = reader.get<AccountRow>("SELECT * FROM accounts WHERE key = :key", { key });
  return row ? toAccount(row) : { ...freshAccount, message: null };
}

/** The account that a run's agent uses. */
export function accountOfRun(reader: Reader, runId: RunId): string {
  return reader.get<{ account: string }>("SELECT account FROM runs WHERE id = :runId", { runId })?.account ?? "";
}

/** How many open runs each account has. */
export function runningByAccount(reader: Reader): Map<string, number> {
  const rows = reader.all<{ account: string; count: number }>(
    "SELECT account, count(*) AS count FROM runs INDEXED BY runs_open WHERE finished_at IS NULL GROUP BY account",
  );
  return new Map(rows.map(({ account, count }) => [account, count]));
}

/** Stores what has become of an account, and tells of a new limit. */
export function saveAccount(
  tx: Transaction,
  key: string,
  { limitedUntil, limits, cap, slowedAt, pausedUntil, overloads, message }: StoredAccount,
): void {
  const before = findAccount(tx, key);
  const columns = { limitedUntil, limits, cap, slowedAt, pausedUntil, overloads, message };
  tx.run(
    `INSERT INTO accounts (key, limited_until, limits, cap, slowed_at, paused_until, overloads, message)
     VALUES (:key, :limitedUntil, :limits, :cap, :slowedAt, :pausedUntil, :overloads, :message)
     ON CONFLICT (key) DO UPDATE SET limited_until = excluded.limited_until, limits = excluded.limits, cap = excluded.cap,
       slowed_at = excluded.slowed_at, paused_until = excluded.paused_until, overloads = excluded.overloads, message = excluded.message`,
    { key, ...columns },
  );
  if (before.limitedUntil === limitedUntil && before.cap === cap && before.pausedUntil === pausedUntil) return;
  appendEvent(tx, { type: "account.changed", data: { account: key, limitedUntil, pausedUntil, runningMax: cap, message } });
}

/** Forgets the limits of an account, and lets start what waited for them. */
export function releaseAccount(tx: Transaction, key: string): void {
  saveAccount(tx, key, { ...freshAccount, message: null });
  tx.run(
    `UPDATE tasks SET run_after = :now, updated_at = :now
     WHERE status = 'queued' AND run_after > :now AND reason IN ('usage_limit', 'overloaded')
       AND EXISTS (SELECT 1 FROM runs WHERE runs.task_id = tasks.id AND runs.epoch = tasks.epoch AND account = :key)`,
    { key, now: tx.now },
  );
}

interface AccountRow {
  key: string;
  limited_until: number | null;
  limits: number;
  cap: number | null;
  slowed_at: number;
  paused_until: number | null;
  overloads: number;
  message: string | null;
}

function toAccount(row: AccountRow): StoredAccount {
  const { limits, cap, overloads, message } = row;
  return { limitedUntil: row.limited_until, limits, cap, slowedAt: row.slowed_at, pausedUntil: row.paused_until, overloads, message };
}
