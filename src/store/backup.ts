import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { backup, DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { backupPath, keepNewestBackups } from "./backup-files.ts";
import type { Database } from "./database.ts";
import { lastSequence } from "./events.ts";
import { Statements } from "./statements.ts";
import type { Verification } from "./verification.ts";

/** Pages a step. One step for all: between two steps each commit of ours would make the copy begin anew. */
const ALL_PAGES = 0x7fffffff;

export interface Backup {
  readonly path: string;
  readonly bytes: number;
  /** The newest event in it. */
  readonly sequence: number;
}

/**
 * Copies a database while it is in use: the copy is the state of one moment, whole on the disk before it has its name.
 * Keeps the newest ten copies of the folder.
 */
export async function backUp(database: Database, directory: string): Promise<Backup> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = backupPath(directory, database.now);
  const unfinished = `${path}.part`;
  try {
    // A connection of its own, so that the copying, on another thread, does not hold ours up.
    using source = new DatabaseSync(database.path, { readOnly: true });
    await backup(source, unfinished, { rate: ALL_PAGES });
    const sequence = finishCopy(unfinished);
    renameSync(unfinished, path);
    sync(directory);
    keepNewestBackups(directory);
    return { path, bytes: statSync(path).size, sequence };
  } finally {
    rmSync(unfinished, { force: true });
  }
}

/**
 * Checks a database, a live one too, or a copy: whether SQLite finds it whole, and whether what must always hold does
 * (`findProblems`). On a thread of its own, for it reads everything. A file that can't be read is a problem too.
 */
export function verify(path: string): Promise<Verification> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL("./verification-thread.ts", import.meta.url), { workerData: path });
    thread.once("message", resolve);
    thread.once("error", reject);
  });
}

/** Makes one plain file of a fresh copy, on the disk for good, and returns its newest event's sequence. */
function finishCopy(path: string): number {
  chmodSync(path, 0o600);
  const connection = new DatabaseSync(path);
  connection.exec("PRAGMA journal_mode = DELETE");
  const sequence = lastSequence(new Statements(connection));
  connection.close();
  sync(path);
  return sequence;
}

function sync(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
