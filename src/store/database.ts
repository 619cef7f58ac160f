import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Clock } from "../base/clock.ts";
import { AppError, messageOf, toAppError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { checkVersion, migrate, readMigrations } from "./migrate.ts";
import { Reserve } from "./reserve.ts";
import { Statements, type Reader } from "./statements.ts";
import { storageError, storageFailureOf } from "./storage-failure.ts";
import { Turn, type Transaction, type TurnWork } from "./turn.ts";

export type { Reader } from "./statements.ts";
export type { Transaction } from "./turn.ts";

/** A result that is there when its function returns: a transaction can't wait for a promise. */
export type Synchronous<Result> = Result extends PromiseLike<unknown> ? never : Result;

export interface DatabaseOptions {
  readonly path: string;
  /** Where a copy goes before a migration. */
  readonly backups: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Called once when the storage failed in a way that leaves in doubt what was written: the process must end and start anew. */
  readonly onFatal?: (error: AppError) => void;
  /** Room to hold back on the disk for when it is full; 0: none. */
  readonly reserveBytes?: number;
  /** Another folder of migrations than the program's own. */
  readonly migrations?: string;
}

/** The tables that a commit may have changed, by the names that our statements give; what their triggers write to is not told. */
export interface ChangedTables {
  has(table: string): boolean;
}

const EVERY_TABLE: ChangedTables = { has: () => true };

/** How long SQLite itself waits for another program's write lock: short, for it blocks the whole process. */
const BUSY_WAIT_MS = 10;
/** In how many turns the lock is tried before the works are refused: some three seconds. */
const BUSY_TRIES = 300;
/** The log is cut back to this after a checkpoint. */
const WAL_BYTES_MAX = 64 * 1024 * 1024;

const RESERVE_BYTES = 32 * 1024 * 1024;

const OWN_MIGRATIONS = join(import.meta.dirname, "../../migrations");

interface Work extends TurnWork {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: AppError) => void;
}

/**
 * The database: SQLite in WAL mode with an fsync for each commit. All writing of one turn of the event loop shares one
 * transaction, so that many writes cost one fsync, and nobody is told of a write before it is on the disk.
 */
export class Database {
  readonly path: string;
  readonly reader: Reader;
  readonly #connection: DatabaseSync;
  readonly #statements: Statements;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #onFatal: (error: AppError) => void;
  readonly #reserve: Reserve;
  readonly #listeners = new Set<(changed: ChangedTables) => void>();
  #pending: Work[] = [];
  #isScheduled = false;
  #isWriting = false;
  #busyTries = 0;
  #foreignVersion: number;
  /** Why nothing can be written any more. */
  #end: AppError | undefined;

  private constructor(connection: DatabaseSync, options: DatabaseOptions) {
    this.path = options.path;
    this.#connection = connection;
    this.#statements = new Statements(connection);
    this.reader = this.#statements;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#onFatal = options.onFatal ?? (() => {});
    this.#reserve = new Reserve(`${options.path}-reserve`, options.reserveBytes ?? RESERVE_BYTES, options.clock, options.log);
    this.#foreignVersion = this.#dataVersion();
  }

  /**
   * Opens the database, made anew where there is none (file 0600, folder 0700), and brings it to the newest format with a
   * backup before. Throws `conflict` for a database of a newer program and `invalid` for a file that is not one of ours;
   * both are left as they were.
   */
  static open(options: DatabaseOptions): Database {
    const migrations = readMigrations(options.migrations ?? OWN_MIGRATIONS);
    makePrivate(options.path);
    if (statSync(options.path).size > 0) {
      using before = new DatabaseSync(options.path, { readOnly: true, timeout: BUSY_WAIT_MS * BUSY_TRIES });
      explainUnreadable(options.path, () => checkVersion(before, options.path, migrations));
    }
    const connection = new DatabaseSync(options.path, { timeout: BUSY_WAIT_MS * BUSY_TRIES });
    try {
      connection.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${WAL_BYTES_MAX}`);
      // No temporary files, which a kill could leave behind in the system's folder.
      connection.exec("PRAGMA temp_store = MEMORY");
      migrate(connection, migrations, { backups: options.backups, now: options.clock.now(), log: options.log });
      connection.exec(`PRAGMA busy_timeout = ${BUSY_WAIT_MS}`);
      return new Database(connection, options);
    } catch (thrown) {
      connection.close();
      throw thrown;
    }
  }

  /** The time that its next transaction would have. */
  get now(): number {
    return this.#clock.now();
  }

  /** Whether the disk has filled up and not been emptied since. Nothing new should be begun then. */
  get isDiskFull(): boolean {
    return this.#reserve.isUsed;
  }

  /**
   * Group commit: `work` runs in the one transaction of this turn, and the promise resolves after its COMMIT. A throw undoes
   * and rejects that work alone. Where the storage fails, all works of the turn are undone and rejected with `unavailable`;
   * a work may be run a second time for that reason, so it must touch nothing but the database.
   */
  write<Result>(work: (tx: Transaction) => Synchronous<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#pending.push({ run: work, resolve: resolve as Work["resolve"], reject });
      this.#schedule();
    });
  }

  /** The same at once, together with what is pending. For boot and for tests; blocks while another program writes. */
  writeNow<Result>(work: (tx: Transaction) => Synchronous<Result>): Result {
    if (this.#isWriting) throw new AppError("internal", "writeNow was called within a transaction.");
    const outcome: { isKnown: boolean; result?: unknown; error?: AppError } = { isKnown: false };
    this.#pending.push({
      run: work,
      resolve: (result) => Object.assign(outcome, { isKnown: true, result }),
      reject: (error) => Object.assign(outcome, { isKnown: true, error }),
    });
    while (!outcome.isKnown) this.#flush();
    if (outcome.error) throw outcome.error;
    return outcome.result as Result;
  }

  /**
   * Called after each commit that changed something, ours or (after `noticeForeign`) another program's, which may have
   * changed every table. Returns how to stop listening.
   */
  onCommit(listener: (changed: ChangedTables) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Asks SQLite whether another program committed since the last call, and tells the listeners if so. */
  noticeForeign(): boolean {
    const version = this.#dataVersion();
    if (version === this.#foreignVersion) return false;
    this.#foreignVersion = version;
    this.#tellListeners(EVERY_TABLE);
    return true;
  }

  /** Writes what is pending and closes. Safe to call twice; what is written afterwards is rejected. */
  close(): void {
    if (!this.#connection.isOpen) return;
    const last = this.#pending;
    while (this.#pending.some((work) => last.includes(work))) this.#flush();
    this.#end ??= new AppError("unavailable", `The database ${this.path} is closed.`);
    this.#flush();
    this.#reserve.close();
    this.#connection.close();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.defer(() => {
      this.#isScheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const works = this.#pending;
    this.#pending = [];
    if (works.length === 0) return;
    if (this.#end) return rejectAll(works, this.#end);
    let turn: Turn<Work>;
    try {
      turn = this.#commitWithReserve(works);
    } catch (thrown) {
      return this.#giveUp(works, thrown);
    }
    this.#busyTries = 0;
    for (const one of turn.settled) {
      if (one.ok) one.work.resolve(one.result);
      else one.work.reject(one.error);
    }
    for (const then of turn.settled.flatMap((one) => one.afterCommit)) this.#call(then);
    if (turn.changed) this.#tellListeners(turn.tables);
  }

  #commitWithReserve(works: readonly Work[]): Turn<Work> {
    try {
      return this.#commit(works);
    } catch (thrown) {
      if (storageFailureOf(thrown) !== "full" || !this.#reserve.release()) throw thrown;
      return this.#commit(works);
    }
  }

  #commit(works: readonly Work[]): Turn<Work> {
    this.#isWriting = true;
    try {
      this.#statements.run("BEGIN IMMEDIATE");
      const turn = new Turn<Work>(this.#statements, this.#clock.now());
      for (const work of works) this.#runOne(turn, work);
      turn.end();
      return turn;
    } catch (thrown) {
      // SQLite has undone the transaction by itself after some failures.
      if (this.#connection.isTransaction) this.#statements.run("ROLLBACK");
      throw thrown;
    } finally {
      this.#isWriting = false;
    }
  }

  #runOne(turn: Turn<Work>, work: Work): void {
    try {
      turn.runWork(work);
    } catch (thrown) {
      if (storageFailureOf(thrown) !== undefined || !this.#connection.isTransaction) throw thrown;
      turn.undoWork(work, thrown);
    }
  }

  #giveUp(works: readonly Work[], thrown: unknown): void {
    const failure = storageFailureOf(thrown);
    if (failure === "busy" && this.#busyTries < BUSY_TRIES) {
      this.#busyTries += 1;
      this.#pending = [...works, ...this.#pending];
      this.#schedule();
      return;
    }
    this.#busyTries = 0;
    const error = failure === undefined ? toAppError(thrown) : storageError(failure, this.path, thrown);
    this.#log.error("writes were not stored", { works: works.length, error: error.message, cause: messageOf(thrown) });
    if (failure === "broken") {
      this.#end = error;
      this.#onFatal(error);
    }
    rejectAll(works, error);
  }

  #tellListeners(changed: ChangedTables): void {
    for (const listener of this.#listeners) this.#call(() => listener(changed));
  }

  #call(then: () => void): void {
    try {
      then();
    } catch (thrown) {
      // What was committed stays so, and the others want to hear of it too.
      this.#log.error("a listener of the database failed", { error: messageOf(thrown), stack: toAppError(thrown).stack });
    }
  }

  #dataVersion(): number {
    return this.#statements.get<{ data_version: number }>("PRAGMA data_version")?.data_version ?? 0;
  }
}

function makePrivate(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  // SQLite gives its log and shared memory the mode of the database.
  if (existsSync(path)) chmodSync(path, 0o600);
  else closeSync(openSync(path, "a", 0o600));
}

function explainUnreadable(path: string, read: () => void): void {
  try {
    read();
  } catch (thrown) {
    if (storageFailureOf(thrown) !== "broken") throw thrown;
    throw new AppError("invalid", `${path} is not a database, or a damaged one (${messageOf(thrown)}). Put a backup in its place.`, {
      cause: thrown,
    });
  }
}

function rejectAll(works: readonly Work[], error: AppError): void {
  for (const work of works) work.reject(error);
}
