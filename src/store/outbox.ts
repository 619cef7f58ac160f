import type { CancelTimer, Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Database, Reader } from "./database.ts";

/** A table of stored intentions, and how one of them is carried out. */
export interface OutboxRows<Row> {
  readonly table: string;
  /** Grows with each new row. */
  newest(reader: Reader): number;
  /** What may begin now. None of those in `busy`, whose rows are carried out one after the other. */
  due(reader: Reader, now: number, busy: readonly string[]): Row[];
  /** When the next row is due, which may be in the past; undefined: none is pending. */
  nextAt(reader: Reader): number | undefined;
  /** What may have only one row under way: a task, a channel. */
  ownerOf(row: Row): string;
  /** Notes in the database how it went; gives up when `Outbox.stopping` is aborted. Must not reject. */
  carryOut(row: Row): Promise<void>;
}

export interface OutboxParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly database: Database;
}

/** Begins stored intentions as soon as they are committed and due, many at once, and those of one owner in order. */
export class Outbox<Row> {
  readonly #parts: OutboxParts;
  readonly #rows: OutboxRows<Row>;
  readonly #stop = new AbortController();
  readonly #underWay = new Map<string, Promise<void>>();
  #lastSeen = -1;
  #stopListening: () => void = () => {};
  #cancelTimer: CancelTimer = () => {};

  constructor(parts: OutboxParts, rows: OutboxRows<Row>) {
    this.#parts = parts;
    this.#rows = rows;
  }

  /** Aborted once `stop` is called. */
  get stopping(): AbortSignal {
    return this.#stop.signal;
  }

  start(): void {
    this.#stopListening = this.#parts.database.onCommit((changed) => {
      if (changed.has(this.#rows.table)) this.#fillNew();
    });
    this.#fill();
  }

  /** Begins nothing more, gives up what waits, and resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopListening();
    this.#cancelTimer();
    this.#stop.abort();
    await Promise.all(this.#underWay.values());
  }

  /** Carries out what is due now, and resolves when that is done or put off. */
  async runOnce(): Promise<void> {
    this.#fill();
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.values());
  }

  /** After a commit: looks only when there are new rows. What else makes one due has its own wake. */
  #fillNew(): void {
    const newest = this.#rows.newest(this.#parts.database.reader);
    if (newest === this.#lastSeen) return;
    this.#lastSeen = newest;
    this.#fill();
  }

  #fill(): void {
    if (this.#stop.signal.aborted) return;
    const { clock, database, log } = this.#parts;
    try {
      for (const row of this.#rows.due(database.reader, clock.now(), [...this.#underWay.keys()])) this.#begin(row);
      this.#wakeWhenDue();
    } catch (thrown) {
      // The rows can't be read now; the next commit looks again.
      log.error("outbox not read", { table: this.#rows.table, error: messageOf(thrown) });
    }
  }

  #begin(row: Row): void {
    const owner = this.#rows.ownerOf(row);
    const done = this.#rows.carryOut(row).finally(() => {
      this.#underWay.delete(owner);
      this.#fill();
    });
    this.#underWay.set(owner, done);
  }

  #wakeWhenDue(): void {
    this.#cancelTimer();
    const { clock, database } = this.#parts;
    const nextAt = this.#rows.nextAt(database.reader);
    if (nextAt !== undefined && nextAt > clock.now()) this.#cancelTimer = clock.setTimer(nextAt - clock.now(), () => this.#fill());
  }
}
