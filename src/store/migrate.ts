import { chmodSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { AppError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { backupPath, keepNewestBackups } from "./backup-files.ts";

/** `DRVR`: what `PRAGMA application_id` says in a database of ours. */
const APPLICATION_ID = 0x44525652;

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly text: string;
}

/** The migrations of a folder, `0001_create.sql` and so on: numbered from 1 without a gap. */
export function readMigrations(directory: string): Migration[] {
  const names = readdirSync(directory).filter((name) => name.endsWith(".sql"));
  return names.toSorted().map((name, index) => {
    const version = Number.parseInt(name, 10);
    if (version !== index + 1) throw new AppError("internal", `Migration ${name} should have number ${index + 1}.`);
    return { version, name, text: readFileSync(join(directory, name), "utf8") };
  });
}

/** Refuses, before anything is written, a file that is not ours or was written by a newer program. `invalid`, `conflict`. */
export function checkVersion(connection: DatabaseSync, path: string, migrations: readonly Migration[]): void {
  const version = pragma(connection, "user_version");
  if (version > migrations.length) {
    throw new AppError(
      "conflict",
      `The database ${path} was written by a newer Drover: its format is ${version}, this program knows ${migrations.length}. ` +
        "Nothing was changed. Install that version again, or start with one of the backups that were made before it.",
      { version, known: migrations.length },
    );
  }
  const isEmpty = connection.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
  if (!isEmpty && pragma(connection, "application_id") !== APPLICATION_ID) {
    throw new AppError("invalid", `${path} is the database of another program. Name another home.`, { path });
  }
}

/**
 * Brings the database to the newest format, each migration in a transaction of its own, after a backup of what was there.
 * A migration that fails leaves the database as the one before it left it.
 */
export function migrate(
  connection: DatabaseSync,
  migrations: readonly Migration[],
  options: { backups: string; now: number; log: Log },
): void {
  const version = pragma(connection, "user_version");
  const pending = migrations.slice(version);
  if (pending.length === 0) return;
  if (version > 0) saveCopy(connection, version, options);
  // Off outside the transaction, because a table is rebuilt by dropping the old one; the check before COMMIT makes up for it.
  connection.exec("PRAGMA foreign_keys = OFF");
  for (const migration of pending) apply(connection, migration, options.log);
  connection.exec("PRAGMA foreign_keys = ON");
}

function apply(connection: DatabaseSync, migration: Migration, log: Log): void {
  connection.exec("BEGIN IMMEDIATE");
  try {
    // Another process may have been faster.
    if (pragma(connection, "user_version") < migration.version) {
      connection.exec(migration.text);
      connection.exec(`PRAGMA user_version = ${migration.version}`);
      const broken = connection.prepare("PRAGMA foreign_key_check").all();
      if (broken.length > 0) throw new AppError("internal", `Migration ${migration.name} breaks ${broken.length} references.`, { broken });
    }
    connection.exec("COMMIT");
  } catch (thrown) {
    if (connection.isTransaction) connection.exec("ROLLBACK");
    throw thrown;
  }
  log.info("database migrated", { migration: migration.name });
}

function saveCopy(connection: DatabaseSync, version: number, { backups, now, log }: { backups: string; now: number; log: Log }): void {
  mkdirSync(backups, { recursive: true, mode: 0o700 });
  const path = backupPath(backups, now, `format-${version}`);
  connection.prepare("VACUUM INTO :path").run({ path });
  chmodSync(path, 0o600);
  keepNewestBackups(backups);
  log.info("database saved before its migration", { path });
}

function pragma(connection: DatabaseSync, name: "user_version" | "application_id"): number {
  const row = connection.prepare(`PRAGMA ${name}`).get();
  return Number(row?.[name]);
}
