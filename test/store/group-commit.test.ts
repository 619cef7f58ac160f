import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AppError } from "../../src/base/errors.ts";
import { setPaused } from "../../src/store/settings.ts";
import type { Transaction } from "../../src/store/database.ts";
import { scratchDatabase } from "../support/scratch-database.ts";

const put = (tx: Transaction, key: string, value = "") => tx.run("INSERT INTO settings (key, value) VALUES (:key, :value)", { key, value });
const keys = ({ database }: ReturnType<typeof scratchDatabase>) =>
  database.reader.all<{ key: string }>("SELECT key FROM settings ORDER BY key").map((row) => row.key);

describe("group commit", () => {
  test("all works of one turn share one commit, in the order they were given", async () => {
    using scratch = scratchDatabase();
    const { database, path } = scratch;
    const order: number[] = [];
    const before = commitsInLog(path);
    await Promise.all(Array.from({ length: 100 }, (_, index) => database.write((tx) => (order.push(index), put(tx, `key-${index}`)))));
    expect(commitsInLog(path) - before).toBe(1);
    expect(order).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(keys(scratch)).toHaveLength(100);
  });

  test("nobody is told before it is on the disk", async () => {
    using scratch = scratchDatabase();
    const { database, path } = scratch;
    using other = new DatabaseSync(path);
    const seen: string[] = [];
    const look = (who: string) =>
      seen.push(`${who} sees ${String(other.prepare("SELECT count(*) AS count FROM settings").get()?.["count"])}`);
    database.onCommit(() => look("listener"));
    const written = database.write((tx) => {
      put(tx, "a");
      tx.afterCommit(() => look("afterCommit"));
      look("transaction");
    });
    await written.then(() => look("caller"));
    expect(seen).toEqual(["transaction sees 0", "afterCommit sees 1", "listener sees 1", "caller sees 1"]);
  });

  test("a throw undoes and rejects its own work alone", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }), async (throws) => {
        using scratch = scratchDatabase();
        const told: number[] = [];
        const works = throws.map((fails, index) =>
          scratch.database.write((tx) => {
            put(tx, `key-${index}`);
            tx.afterCommit(() => void told.push(index));
            if (fails) throw new AppError("conflict", `No ${index}.`);
            return index;
          }),
        );
        const settled = await Promise.allSettled(works);
        const kept = throws.flatMap((fails, index) => (fails ? [] : [index]));
        expect(settled.map((one) => (one.status === "fulfilled" ? one.value : String(one.reason)))).toEqual(
          throws.map((fails, index) => (fails ? `AppError: No ${index}.` : index)),
        );
        expect(keys(scratch)).toEqual(kept.map((index) => `key-${index}`).toSorted());
        expect(told).toEqual(kept);
      }),
      { numRuns: 30 },
    );
  });

  test("the time is the same for all that one transaction writes", async () => {
    using scratch = scratchDatabase();
    const { database, clock } = scratch;
    const times = [1, 2, 3].map((value) =>
      database.write((tx) => {
        clock.advance(1000);
        put(tx, `key-${value}`);
        return tx.now;
      }),
    );
    expect(new Set(await Promise.all(times))).toEqual(new Set([Date.UTC(2026, 0, 1)]));
  });

  test("what changes nothing costs no commit and wakes nobody", async () => {
    using scratch = scratchDatabase();
    const { database, path } = scratch;
    let woken = 0;
    const stop = database.onCommit(() => (woken += 1));
    const before = commitsInLog(path);
    await database.write((tx) => tx.get("SELECT 1"));
    await database.write((tx) => tx.run("DELETE FROM settings"));
    await expect(database.write((tx) => (put(tx, "a"), fail()))).rejects.toThrow("undone");
    expect([woken, commitsInLog(path) - before]).toEqual([0, 0]);
    await database.write((tx) => put(tx, "a"));
    expect([woken, commitsInLog(path) - before]).toEqual([1, 1]);
    stop();
    await database.write((tx) => put(tx, "b"));
    expect(woken).toBe(1);
  });

  test("a listener hears which tables were named; of another program's commit, that any may have changed", async () => {
    using scratch = scratchDatabase();
    const { database, path } = scratch;
    const told: boolean[][] = [];
    database.onCommit((changed) => told.push(["settings", "projects", "tasks"].map((table) => changed.has(table))));
    await database.write((tx) => {
      put(tx, "a");
      tx.run("UPDATE projects SET enabled = 0");
    });
    await database.write((tx) => put(tx, "b"));
    using other = new DatabaseSync(path);
    other.exec("DELETE FROM settings");
    database.noticeForeign();
    expect(told).toEqual([
      [true, true, false],
      [true, false, false],
      [true, true, true],
    ]);
  });

  test("a listener may write, and one that throws harms no other", async () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const late: Promise<unknown>[] = [];
    const stop = database.onCommit(() => {
      stop();
      late.push(database.write((tx) => put(tx, "from the listener")));
      throw new Error("A bug.");
    });
    const last = new Promise<void>((resolve) => database.onCommit(() => resolve()));
    await database.write((tx) => put(tx, "first"));
    await last;
    await Promise.all(late);
    expect(keys(scratch)).toEqual(["first", "from the listener"]);
  });

  test("a function that returns a promise, or uses its transaction later, is refused", async () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const asynchronous = (async (tx: Transaction) => void put(tx, "a")) as unknown as (tx: Transaction) => void;
    await expect(database.write(asynchronous)).rejects.toThrow("must be synchronous");
    const escaped = await database.write((tx) => ({ tx }));
    expect(() => put(escaped.tx, "b")).toThrow("after its function had returned");
    // @ts-expect-error: the type says so before anything runs
    const typed = () => database.write(async () => 1);
    expect(typed).toBeTypeOf("function");
    expect(keys(scratch)).toEqual([]);
  });

  test("writeNow writes what is pending too, and not within a transaction", async () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const pending = database.write((tx) => put(tx, "a"));
    expect(database.writeNow((tx) => put(tx, "b").changes)).toBe(1);
    expect(keys(scratch)).toEqual(["a", "b"]);
    await pending;
    await expect(database.write(() => database.writeNow((tx) => put(tx, "c")))).rejects.toThrow("within a transaction");
    expect(() => database.writeNow(fail)).toThrow("undone");
  });

  test("close writes what is pending; afterwards nothing is accepted", async () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const pending = database.write((tx) => put(tx, "a"));
    database.close();
    database.close();
    await pending;
    await expect(database.write((tx) => put(tx, "b"))).rejects.toMatchObject({ code: "unavailable" });
    expect(scratch.reopen().reader.all("SELECT key FROM settings")).toEqual([{ __proto__: null, key: "a" }]);
  });
});

describe("another program", () => {
  test("its commits are noticed, ours are not taken for its", async () => {
    using scratch = scratchDatabase();
    const { database, path } = scratch;
    using other = new DatabaseSync(path);
    let woken = 0;
    database.onCommit(() => (woken += 1));
    await database.write((tx) => setPaused(tx, true, "ada"));
    expect([database.noticeForeign(), woken]).toEqual([false, 1]);
    other.exec("DELETE FROM settings");
    expect([database.noticeForeign(), woken, database.noticeForeign()]).toEqual([true, 2, false]);
  });

  test("while it holds the database, writes wait; when it lets go, they are stored", async () => {
    using scratch = scratchDatabase();
    const { database, path } = scratch;
    using other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const waiting = database.write((tx) => put(tx, "a"));
    await turn();
    await turn();
    expect(keys(scratch)).toEqual([]);
    other.exec("COMMIT");
    await waiting;
    expect(keys(scratch)).toEqual(["a"]);
  });

  test("when it does not let go, writes are refused with what to do, and later ones succeed", async () => {
    using scratch = scratchDatabase();
    const { database, path } = scratch;
    using other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    await expect(database.write((tx) => put(tx, "a"))).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("End its transaction"),
    });
    other.exec("COMMIT");
    await database.write((tx) => put(tx, "b"));
    expect(keys(scratch)).toEqual(["b"]);
  });
});

test("files are the person's alone", () => {
  using scratch = scratchDatabase();
  scratch.database.writeNow((tx) => put(tx, "a"));
  const modes = [dirname(scratch.path), scratch.path, `${scratch.path}-wal`, `${scratch.path}-shm`].map(
    (path) => statSync(path).mode & 0o777,
  );
  expect(modes).toEqual([0o700, 0o600, 0o600, 0o600]);
});

test("each commit is synced, and references are checked", () => {
  using scratch = scratchDatabase();
  const pragma = (name: string) => scratch.database.reader.get<Record<string, unknown>>(`PRAGMA ${name}`)?.[name];
  expect(["journal_mode", "synchronous", "foreign_keys"].map(pragma)).toEqual(["wal", 2, 1]);
});

/** Commits in a write-ahead log: the frames that name the size of the database after them, https://sqlite.org/fileformat2.html#walformat */
function commitsInLog(path: string): number {
  const log = readFileSync(`${path}-wal`);
  const frameBytes = 24 + log.readUInt32BE(8);
  let commits = 0;
  for (let offset = 32; offset + frameBytes <= log.length; offset += frameBytes) {
    const isOfThisLog = log.readUInt32BE(offset + 8) === log.readUInt32BE(16);
    if (isOfThisLog && log.readUInt32BE(offset + 4) > 0) commits += 1;
  }
  return commits;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

function fail(): never {
  throw new AppError("conflict", "It is undone.");
}
