import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { AppError } from "../base/errors.ts";
import type { HomePaths } from "../base/paths.ts";
import { storageFailureOf } from "../store/storage-failure.ts";
import { unwritable } from "./home-folders.ts";

/** What `daemon.pid` says of the running daemon: a hint for people and the CLI, never the lock. */
export const DaemonFile = z.object({
  pid: z.int().positive(),
  /** Start time as the kernel counts it; tells the daemon from another program that got its pid. */
  startTime: z.string(),
  url: z.string(),
  version: z.string(),
});
export type DaemonFile = z.infer<typeof DaemonFile>;

/** What is in the file from the moment that its writer has the lock; the rest follows when it can be reached. */
const Holder = DaemonFile.partial().required({ pid: true });

/** Between having the lock and being in the file lies next to no time; a holder that is stopped just there stays unnamed. */
const LOOKS_MAX = 50;
const LOOK_AGAIN_MS = 20;

/**
 * The single-instance lock of a home: an exclusive SQLite transaction held open. The kernel drops it with the process,
 * so a crash releases it at once and a stale one can't exist.
 */
export class InstanceLock implements Disposable {
  readonly #paths: HomePaths;
  readonly #database: DatabaseSync;

  private constructor(paths: HomePaths, database: DatabaseSync) {
    this.#paths = paths;
    this.#database = database;
  }

  /** Throws `conflict`, naming the holder, when another daemon has this home, and `unavailable` when the home can't be written to. */
  static acquire(paths: HomePaths): InstanceLock {
    const database = lockedDatabase(paths);
    if (database === undefined) {
      throw new AppError("conflict", `Another daemon runs in ${paths.home}${describeHolder(paths)}. Stop it with: drover daemon stop`);
    }
    const lock = new InstanceLock(paths, database);
    try {
      lock.#write({ pid: process.pid });
      return lock;
    } catch (cause) {
      database.close();
      throw unwritable(paths, cause);
    }
  }

  /** Writes where this daemon can be reached. */
  publish(file: DaemonFile): void {
    this.#write(file);
  }

  [Symbol.dispose](): void {
    rmSync(this.#paths.pid, { force: true });
    this.#database.close();
  }

  /** At once and whole: somebody may be reading it. */
  #write(holder: z.infer<typeof Holder>): void {
    const file = `${this.#paths.pid}.new`;
    writeFileSync(file, `${JSON.stringify(holder)}\n`, { mode: 0o600 });
    renameSync(file, this.#paths.pid);
  }
}

/** Undefined: another one has it. */
function lockedDatabase(paths: HomePaths): DatabaseSync | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(paths.lock, { timeout: 0 });
    database.exec("BEGIN EXCLUSIVE");
    return database;
  } catch (cause) {
    database?.close();
    if (storageFailureOf(cause) === "busy") return undefined;
    throw unwritable(paths, cause);
  }
}

function describeHolder(paths: HomePaths): string {
  for (let looks = 0; looks < LOOKS_MAX; looks++) {
    const holder = readHolder(paths);
    if (holder !== undefined) return ` (pid ${holder.pid}${holder.url === undefined ? "" : `, ${holder.url}`})`;
    // Nothing else goes on in a program that is about to end.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MS);
  }
  return "";
}

/** Undefined: the holder has not written its file yet; one of a dead process is of an earlier one. */
export function readHolder(paths: HomePaths): z.infer<typeof Holder> | undefined {
  try {
    const holder = Holder.parse(JSON.parse(readFileSync(paths.pid, "utf8")));
    process.kill(holder.pid, 0);
    return holder;
  } catch {
    return undefined;
  }
}
