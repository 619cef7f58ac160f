import { readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { backUp, verify } from "../../src/store/backup.ts";
import { appendAudit } from "../../src/store/audit.ts";
import { lastSequence } from "../../src/store/events.ts";
import { findProblems, verifyFile } from "../../src/store/verification.ts";
import { addProject, addTask, carryOut, scratchDatabase, startTask, type ScratchDatabase } from "../support/scratch-database.ts";

/** A little of everything. */
function fill({ database }: ScratchDatabase): void {
  const { id } = addProject(database);
  const first = addTask(database, id);
  addTask(database, id, { dependsOn: [first.id] });
  addTask(database, id, { draft: true });
  carryOut(database, first.id);
  carryOut(database, addTask(database, id).id, "failed");
  startTask(database, addTask(database, id).id);
  database.writeNow((tx) => appendAudit(tx, { actor: "ada", action: "x", subject: "y", detail: {} }));
}

describe("a backup", () => {
  test("of a database in use is whole, and the state of one moment", async () => {
    using scratch = scratchDatabase();
    const { database, backups } = scratch;
    fill(scratch);
    const { id } = addProject(database, { name: "web" });
    const stop = new AbortController();
    const writing = writeUntil(stop.signal, () => database.write(() => undefined).then(() => void addTask(database, id)));
    const before = lastSequence(database.reader);
    const copy = await backUp(database, backups);
    stop.abort();
    await writing;
    expect(copy.sequence).toBeGreaterThanOrEqual(before);
    expect(copy).toEqual({ path: copy.path, bytes: statSync(copy.path).size, sequence: copy.sequence });
    expect([statSync(copy.path).mode & 0o777, readdirSync(backups)]).toEqual([0o600, [copy.path.slice(backups.length + 1)]]);
    using opened = new DatabaseSync(copy.path, { readOnly: true });
    const { events, tasks } = await verify(copy.path);
    expect([await verify(copy.path), opened.prepare("SELECT max(sequence) AS sequence FROM events").get()?.["sequence"]]).toEqual([
      { ok: true, problems: [], events: copy.sequence, tasks },
      events,
    ]);
  });

  test("is one of the newest ten that are kept; other files stay", async () => {
    using scratch = scratchDatabase();
    const { database, backups, clock } = scratch;
    await backUp(database, backups);
    writeFileSync(join(backups, "mine.db"), "");
    for (let count = 0; count < 12; count += 1) {
      clock.advance(count % 2 === 0 ? 0 : 1000);
      await backUp(database, backups);
    }
    const names = readdirSync(backups);
    expect([names.length, names.includes("mine.db"), names.includes("drover-20260101T000000000Z.db")]).toEqual([11, true, false]);
  });
});

describe("verifying", () => {
  test("finds nothing in a database in use", async () => {
    using scratch = scratchDatabase();
    fill(scratch);
    expect(await verify(scratch.path)).toEqual({ ok: true, problems: [], tasks: 5, events: lastSequence(scratch.database.reader) });
    expect(findProblems(scratch.database.reader)).toEqual([]);
  });

  // Each damage is done past the triggers, on a copy, and is named.
  const damages: Record<string, { triggers: string[]; sql: string; problem: RegExp }> = {
    "a counter of a project": {
      triggers: [],
      sql: "UPDATE task_counts SET count = count + 1 WHERE status = 'failed'",
      problem: /^The counter of failed tasks of project api says 2, and there are 1\.$/,
    },
    "a counter of all": {
      triggers: [],
      sql: "UPDATE task_totals SET count = 0 WHERE status = 'queued'",
      problem: /^The counter of all queued tasks says 0, and there are 1\.$/,
    },
    "a missing event": {
      triggers: ["events_stay"],
      sql: "DELETE FROM events WHERE sequence = 4",
      problem: /^Of events, 1 of 17 lines are missing, the first behind sequence 3\.$/,
    },
    "a missing move": {
      triggers: ["events_stay"],
      sql: "DELETE FROM events WHERE sequence = (SELECT min(sequence) FROM events WHERE type = 'task.status_changed')",
      problem: /^The history of task task_\S+ has a flaw: it was queued and then moved from running to succeeded\.$/,
    },
    "a missing beginning": {
      triggers: ["events_stay"],
      sql: "DELETE FROM events WHERE sequence = 2",
      problem: /^The history of task task_\S+ does not begin with its making\.$/,
    },
    "a changed history": {
      triggers: ["events_stay_unchanged"],
      sql: `UPDATE events SET data = replace(data, '"succeeded"', '"failed"') WHERE type = 'task.status_changed'`,
      problem: /^Task task_\S+ is succeeded, and its history ends with failed\.$/,
    },
    "a status without its event": {
      triggers: ["tasks_record_move"],
      sql: "UPDATE tasks SET status = 'cancelled' WHERE number = 3",
      problem: /^Task task_\S+ is cancelled, and its history ends with draft\.$/,
    },
    "a missing line of the audit log": {
      triggers: ["audit_stays"],
      sql: "DELETE FROM audit",
      problem: /^Of audit, 1 of 1 lines are missing\.$/,
    },
    "a run without its task": {
      triggers: ["tasks_stay"],
      sql: "DELETE FROM tasks WHERE number = 5",
      problem: /^Row 3 of runs refers to a row of tasks that is not there\.$/,
    },
    "a running task without a run": {
      triggers: ["runs_stay"],
      sql: "DELETE FROM runs WHERE finished_at IS NULL",
      problem: /^Task task_\S+ is running and has no open run\.$/,
    },
    "an epoch without its run": {
      triggers: ["runs_stay"],
      sql: "DELETE FROM runs WHERE sequence = 1",
      problem: /^Task task_\S+ is at epoch 1, and its newest run is of 0\.$/,
    },
    "a queued task before its time": {
      triggers: ["tasks_hold_dependents", "tasks_wake_dependents", "tasks_move_as_allowed"],
      sql: "UPDATE tasks SET status = 'failed' WHERE number = 1",
      problem: /^Task task_\S+ is queued, and not all that it depends on has succeeded\.$/,
    },
    "a missing text": {
      triggers: ["task_bodies_stay"],
      sql: "DELETE FROM task_bodies WHERE rowid = 1",
      problem: /^Task task_\S+ has no text\.$/,
    },
    "a number given out twice": {
      triggers: [],
      sql: "UPDATE projects SET last_number = 1",
      problem: /^Project api has given out number 1, and has a task 5\.$/,
    },
  };
  test.each(Object.entries(damages))("names %s", async (_name, { triggers, sql, problem }) => {
    using scratch = scratchDatabase();
    fill(scratch);
    const { path } = await backUp(scratch.database, scratch.backups);
    {
      using copy = new DatabaseSync(path, { enableForeignKeyConstraints: false });
      for (const trigger of triggers) copy.exec(`DROP TRIGGER ${trigger}`);
      copy.exec(sql);
    }
    const { ok, problems } = verifyFile(path);
    expect([ok, problems]).toEqual([false, expect.arrayContaining([expect.stringMatching(problem)])]);
  });

  test("names a file whose pages are wrong, one that was cut short, and one that is none", async () => {
    using scratch = scratchDatabase();
    fill(scratch);
    const { path } = await backUp(scratch.database, scratch.backups);
    truncateSync(path, statSync(path).size - 4096 * 3);
    const { ok, problems } = await verify(path);
    expect([ok, problems[0]]).toEqual([false, expect.stringMatching(/^(SQLite finds damage|The database can't be read): /)]);
    const letter = join(scratch.folder, "letter.db");
    writeFileSync(letter, "This is a letter. ".repeat(100));
    expect(await verify(letter)).toEqual({
      ok: false,
      problems: ["The database can't be read: file is not a database."],
      tasks: 0,
      events: 0,
    });
    expect((await verify(join(scratch.folder, "nothing.db"))).ok).toBe(false);
  });
});

async function writeUntil(signal: AbortSignal, write: () => Promise<void>): Promise<void> {
  while (!signal.aborted) await write();
}
