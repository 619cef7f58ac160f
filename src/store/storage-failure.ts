import { AppError, messageOf } from "../base/errors.ts";

/**
 * What failed is not a statement but the storage below it. busy: another program holds the write lock. full: no room on
 * the disk. broken: the disk reported an error, or the file is damaged; after that nothing that was written is certain.
 */
export type StorageFailure = "busy" | "full" | "broken";

/** Primary result codes, https://sqlite.org/rescode.html */
const failures: Readonly<Record<number, StorageFailure>> = {
  5: "busy", // SQLITE_BUSY
  8: "broken", // SQLITE_READONLY: a file system is remounted read-only after an error
  10: "broken", // SQLITE_IOERR
  11: "broken", // SQLITE_CORRUPT
  13: "full", // SQLITE_FULL
  26: "broken", // SQLITE_NOTADB
};

/** SQLITE_IOERR_SHMSIZE: the shared memory beside the log could not grow, which is how a full disk looks there. */
const IOERR_SHMSIZE = 4874;

/** Undefined: an ordinary error of a statement, or no error of SQLite at all. */
export function storageFailureOf(thrown: unknown): StorageFailure | undefined {
  const code = thrown instanceof Error && "errcode" in thrown && typeof thrown.errcode === "number" ? thrown.errcode : undefined;
  if (code === undefined) return undefined;
  return code === IOERR_SHMSIZE ? "full" : failures[code & 0xff];
}

/** The same for people. */
export function storageError(failure: StorageFailure, path: string, thrown: unknown): AppError {
  return new AppError("unavailable", sentences[failure](path, messageOf(thrown)), { cause: thrown, reason: `storage_${failure}`, path });
}

const sentences: Readonly<Record<StorageFailure, (path: string, cause: string) => string>> = {
  busy: (path) => `Another program holds the database ${path}. End its transaction (an open sqlite3 shell?), then try again.`,
  full: (path) => `The disk of the database ${path} is full, so nothing was stored. Make room, then try again.`,
  broken: (path, cause) =>
    `The database ${path} can't be trusted any more (${cause}). Look at the disk, then start Drover again; if \`drover store verify\` finds damage, with a backup.`,
};
