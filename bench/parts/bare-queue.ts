import { DatabaseSync } from "node:sqlite";

/**
 * The least that a durable queue can do, on the same SQLite with the same promises (WAL, an fsync for each commit, group
 * commit by turn of the event loop): no rules, no history, no effects. The limit for whatever keeps tasks in SQLite.
 */
export class BareQueue implements Disposable {
  readonly #database: DatabaseSync;
  readonly #claim;
  readonly #complete;
  readonly #insert;
  #pending: { run: () => unknown; resolve: (result: unknown) => void }[] = [];

  constructor(path: string) {
    this.#database = new DatabaseSync(path);
    this.#database.exec(`
      PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
      CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY, status TEXT NOT NULL, payload TEXT NOT NULL) STRICT;
      CREATE INDEX IF NOT EXISTS jobs_queued ON jobs (id) WHERE status = 'queued';
    `);
    this.#insert = this.#database.prepare("INSERT INTO jobs (status, payload) VALUES ('queued', ?)");
    this.#claim = this.#database.prepare(
      "UPDATE jobs SET status = 'running' WHERE id = (SELECT id FROM jobs WHERE status = 'queued' ORDER BY id LIMIT 1) RETURNING id",
    );
    this.#complete = this.#database.prepare("UPDATE jobs SET status = ? WHERE id = ?");
  }

  /** Makes many at once, some of them done already. */
  fill({ queued, done }: { queued: number; done: number }): void {
    this.#database.exec(`
      BEGIN;
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${queued + done})
      INSERT INTO jobs (status, payload) SELECT iif(i <= ${done}, 'done', 'queued'), 'Issue ' || i FROM n;
      COMMIT;
    `);
  }

  insert(payload: string): Promise<unknown> {
    return this.#write(() => this.#insert.run(payload));
  }

  claim(): Promise<number | undefined> {
    return this.#write(() => (this.#claim.get() as { id: number } | undefined)?.id);
  }

  complete(id: number, status = "done"): Promise<unknown> {
    return this.#write(() => this.#complete.run(status, id));
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #write<Result>(run: () => Result): Promise<Result> {
    return new Promise((resolve) => {
      if (this.#pending.length === 0) setImmediate(() => this.#commit());
      this.#pending.push({ run, resolve: resolve as (result: unknown) => void });
    });
  }

  #commit(): void {
    const works = this.#pending;
    this.#pending = [];
    this.#database.exec("BEGIN IMMEDIATE");
    const results = works.map(({ run }) => run());
    this.#database.exec("COMMIT");
    works.forEach(({ resolve }, index) => resolve(results[index]));
  }
}
