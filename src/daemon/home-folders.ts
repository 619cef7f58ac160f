import { existsSync, mkdirSync } from "node:fs";
import { AppError, messageOf } from "../base/errors.ts";
import type { HomePaths } from "../base/paths.ts";

/** Makes the folders of a home that are not there, for its owner only. Throws `unavailable` when it can't be written to. */
export function makeFolders(paths: HomePaths): void {
  try {
    mkdirSync(paths.home, { recursive: true, mode: 0o700 });
    for (const folder of [paths.logs, paths.runs, paths.repositories, paths.workspaces, paths.backups]) {
      // Not `recursive`, with which Node tells of a missing folder where the file system is read-only.
      if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 });
    }
  } catch (cause) {
    throw unwritable(paths, cause);
  }
}

export function unwritable({ home }: HomePaths, cause: unknown): AppError {
  const what = `Drover cannot keep its files in ${home}: ${messageOf(cause)}.`;
  return new AppError("unavailable", `${what} Make it writable, or name another folder in DROVER_HOME.`, { cause });
}
