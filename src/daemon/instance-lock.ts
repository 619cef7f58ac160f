import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { z } from "zod";
import { AppError } from "../base/errors.ts";
import type { HomePaths } from "../base/paths.ts";

/** What `daemon.pid` says of the running daemon: a hint for people and the CLI, never the lock. */
export const DaemonFile = z.object({
  pid: z.int().positive(),
  /** Start time as the kernel counts it; tells the daemon from another program that got its pid. */
  startTime: z.string(),
  url: z.string(),
  version: z.string(),
});
export type DaemonFile = z.infer<typeof DaemonFile>;

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

  /** Throws `conflict`, naming the holder, when another daemon has this home. */
  static acquire(paths: HomePaths): InstanceLock {
    const database = new DatabaseSync(paths.lock, { timeout: 0 });
    try {
      database.exec("BEGIN EXCLUSIVE");
      return new InstanceLock(paths, database);
    } catch (cause) {
      database.close();
      throw new AppError("conflict", `Another daemon runs in ${paths.home}${describeHolder(paths)}. Stop it with: drover daemon stop`, {
        cause,
      });
    }
  }

  /** Writes where this daemon can be reached. */
  publish(file: DaemonFile): void {
    writeFileSync(this.#paths.pid, `${JSON.stringify(file)}\n`, { mode: 0o600 });
  }

  [Symbol.dispose](): void {
    rmSync(this.#paths.pid, { force: true });
    this.#database.close();
  }
}

function describeHolder(paths: HomePaths): string {
  try {
    const file = DaemonFile.parse(JSON.parse(readFileSync(paths.pid, "utf8")));
    return ` (pid ${file.pid}, ${file.url})`;
  } catch {
    // It holds the lock and has not written its file yet; that it is there is all we can say.
    return "";
  }
}
