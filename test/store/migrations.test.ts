import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { lastSequence } from "../../src/store/events.ts";
import { findTask } from "../../src/store/tasks.ts";
import { addProject, addTask, carryOut, scratchDatabase, type ScratchDatabase } from "../support/scratch-database.ts";

const OURS = join(import.meta.dirname, "../../migrations");

/** The newest format. */
const NEWEST = readdirSync(OURS).length;

/** The program's own migrations with another one behind them. */
function migrationsWith({ folder }: ScratchDatabase, text: string): string {
  const directory = join(folder, "migrations");
  cpSync(OURS, directory, { recursive: true });
  writeFileSync(join(directory, `${String(NEWEST + 1).padStart(4, "0")}_more.sql`), text);
  return directory;
}

/** A database of the newest format with something in it, closed. */
function newestFormat(): ScratchDatabase {
  const scratch = scratchDatabase({ migrations: OURS });
  const { id } = addProject(scratch.database);
  carryOut(scratch.database, addTask(scratch.database, id).id);
  addTask(scratch.database, id);
  scratch.database.close();
  return scratch;
}

test("an older database is brought forward with every row kept, and saved before", () => {
  using scratch = newestFormat();
  const migrations = migrationsWith(scratch, "ALTER TABLE tasks ADD COLUMN budget INTEGER NOT NULL DEFAULT 7;");
  const database = scratch.reopen({ migrations });
  expect(database.reader.get("PRAGMA user_version")).toEqual({ __proto__: null, user_version: NEWEST + 1 });
  expect(database.reader.all("SELECT number, status, budget FROM tasks")).toEqual([
    { __proto__: null, number: 1, status: "succeeded", budget: 7 },
    { __proto__: null, number: 2, status: "queued", budget: 7 },
  ]);
  const names = readdirSync(scratch.backups);
  expect(names).toEqual([`drover-20260101T000000000Z-format-${NEWEST}.db`]);
  const saved = join(scratch.backups, names[0] ?? "");
  using copy = new DatabaseSync(saved, { readOnly: true });
  expect([copy.prepare("PRAGMA user_version").get(), copy.prepare("SELECT count(*) AS count FROM tasks").get()]).toEqual([
    { __proto__: null, user_version: NEWEST },
    { __proto__: null, count: 2 },
  ]);
  expect([statSync(scratch.backups).mode & 0o777, statSync(saved).mode & 0o777]).toEqual([0o700, 0o600]);
});

test("opening a database of this format again changes and saves nothing", () => {
  using scratch = newestFormat();
  const before = readFileSync(scratch.path);
  scratch.reopen().close();
  expect(readFileSync(scratch.path).equals(before)).toBe(true);
  expect(() => readdirSync(scratch.backups)).toThrow("ENOENT");
});

test("a migration that fails is undone and leaves the database as it was", () => {
  using scratch = newestFormat();
  const fails = migrationsWith(scratch, "CREATE TABLE more (id INTEGER) STRICT; INSERT INTO nonsense VALUES (1);");
  expect(() => scratch.reopen({ migrations: fails })).toThrow("nonsense");
  const breaks = migrationsWith(scratch, "INSERT INTO task_bodies VALUES ('task_none', '');");
  expect(() => scratch.reopen({ migrations: breaks })).toThrow("breaks 1 references");
  const database = scratch.reopen();
  expect(database.reader.get("SELECT 1 FROM sqlite_schema WHERE name = 'more'")).toBeUndefined();
  expect(findTask(database.reader, "api#2")?.status).toBe("queued");
});

test("a database of a newer program is refused kindly and left untouched", () => {
  using scratch = newestFormat();
  const newer = scratch.reopen({ migrations: migrationsWith(scratch, "CREATE TABLE more (id INTEGER) STRICT;") });
  const sequence = lastSequence(newer.reader);
  newer.close();
  const before = readFileSync(scratch.path);
  expect(() => scratch.reopen()).toThrow(
    expect.objectContaining({
      code: "conflict",
      message: expect.stringContaining(`written by a newer Drover: its format is ${NEWEST + 1}, this program knows ${NEWEST}`),
    }),
  );
  expect(readFileSync(scratch.path).equals(before)).toBe(true);
  expect(lastSequence(scratch.reopen({ migrations: join(scratch.folder, "migrations") }).reader)).toBe(sequence);
});

test("what is no database of ours is refused and left untouched", () => {
  using scratch = scratchDatabase();
  const files = [join(scratch.folder, "foreign.db"), join(scratch.folder, "text.db")] as const;
  {
    using foreign = new DatabaseSync(files[0]);
    foreign.exec("CREATE TABLE birds (name TEXT)");
  }
  writeFileSync(files[1], "This is a letter, and longer than the header of a database. ".repeat(20));
  for (const path of files) {
    const before = readFileSync(path);
    expect(() => scratch.reopen({ path })).toThrow(expect.objectContaining({ code: "invalid" }));
    expect(readFileSync(path).equals(before)).toBe(true);
  }
});

test("migrations are numbered from 1 without a gap", () => {
  using scratch = newestFormat();
  const migrations = join(scratch.folder, "gap");
  mkdirSync(migrations);
  cpSync(join(OURS, "0001_create.sql"), join(migrations, "0002_create.sql"));
  expect(() => scratch.reopen({ migrations })).toThrow("should have number 1");
});
