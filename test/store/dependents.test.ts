import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import type { TaskId } from "../../src/contract/ids.ts";
import type { Database } from "../../src/store/database.ts";
import { setDependencies } from "../../src/store/dependencies.ts";
import { eventsAfter, lastSequence } from "../../src/store/events.ts";
import { loadGraph } from "../../src/store/graph.ts";
import { loadShares } from "../../src/store/queue.ts";
import { getTask } from "../../src/store/tasks.ts";
import { findProblems } from "../../src/store/verification.ts";
import { finishRun, requestCancel, retryTask, stopRequests } from "../../src/store/transitions.ts";
import { listEffects } from "../../src/store/effects.ts";
import { getRun } from "../../src/store/runs.ts";
import { addProject, addTask, carryOut, content, scratchDatabase, startTask, step } from "../support/scratch-database.ts";

/** a; b and c need a; d needs b and c. */
function diamond(database: Database): Record<"a" | "b" | "c" | "d", TaskId> {
  const { id } = addProject(database);
  const a = addTask(database, id).id;
  const [b, c] = [addTask(database, id, { dependsOn: [a] }).id, addTask(database, id, { dependsOn: [a] }).id];
  return { a, b, c, d: addTask(database, id, { dependsOn: [b, c] }).id };
}

function statuses(database: Database, tasks: Record<string, TaskId>): Record<string, string> {
  return Object.fromEntries(Object.entries(tasks).map(([name, id]) => [name, getTask(database.reader, id).status]));
}

describe("a diamond of tasks", () => {
  test("goes on by itself: the middle two at once, the last after both", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const tasks = diamond(database);
    expect(statuses(database, tasks)).toEqual({ a: "queued", b: "waiting", c: "waiting", d: "waiting" });
    carryOut(database, tasks.a);
    const [b, c] = [startTask(database, tasks.b), startTask(database, tasks.c)];
    expect(statuses(database, tasks)).toEqual({ a: "succeeded", b: "running", c: "running", d: "waiting" });
    database.writeNow((tx) => finishRun(tx, b, { outcome: content, next: step("succeeded") }));
    expect(statuses(database, tasks)).toEqual({ a: "succeeded", b: "succeeded", c: "running", d: "waiting" });
    database.writeNow((tx) => finishRun(tx, c, { outcome: content, next: step("succeeded") }));
    expect(statuses(database, tasks)).toEqual({ a: "succeeded", b: "succeeded", c: "succeeded", d: "queued" });
  });

  test("with a failed part is blocked there, waits when that is retried, and goes on when it succeeds", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const tasks = diamond(database);
    carryOut(database, tasks.a);
    carryOut(database, tasks.b, "failed");
    expect(getTask(database.reader, tasks.d)).toMatchObject({ status: "blocked", reason: "dependency_failed" });
    carryOut(database, tasks.c);
    expect(getTask(database.reader, tasks.d)).toMatchObject({ status: "blocked", reason: "dependency_failed" });
    expect(() => database.writeNow((tx) => retryTask(tx, tasks.d))).toThrow("needs api#2, which is failed: retry that one first");
    database.writeNow((tx) => retryTask(tx, tasks.b));
    expect(getTask(database.reader, tasks.d)).toMatchObject({ status: "waiting", reason: "dependency" });
    carryOut(database, tasks.b);
    expect(getTask(database.reader, tasks.d)).toMatchObject({ status: "queued", reason: null });
  });

  test("a cancelled part blocks too, and a retried dependent is held until it may go", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const tasks = diamond(database);
    const cancel = (id: TaskId) => database.writeNow((tx) => requestCancel(tx, id, { by: "user", actor: "ada", message: "No." }));
    cancel(tasks.a);
    expect(statuses(database, tasks)).toEqual({ a: "cancelled", b: "blocked", c: "blocked", d: "waiting" });
    cancel(tasks.d);
    database.writeNow((tx) => retryTask(tx, tasks.d));
    expect(getTask(database.reader, tasks.d)).toMatchObject({ status: "waiting", reason: "dependency" });
  });
});

describe("dependencies that are changed", () => {
  /** Sets them and returns the moves of status that it made. */
  function change(database: Database, taskId: TaskId, dependsOn: TaskId[]): string[] {
    const before = lastSequence(database.reader);
    database.writeNow((tx) => setDependencies(tx, getTask(tx, taskId), dependsOn, "ada"));
    const events = eventsAfter(database.reader, before, { limit: 100 });
    expect(events.at(-1)).toMatchObject({ type: "task.dependencies_changed", taskId, data: { dependsOn, by: "ada" } });
    return events.flatMap((event) => (event.type === "task.status_changed" ? [`${event.data.from} > ${event.data.to}`] : []));
  }

  test("hold a task or let it go", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const { a, b, c, d } = diamond(database);
    expect(change(database, d, [a])).toEqual([]);
    expect(getTask(database.reader, d).dependsOn).toEqual([a]);
    expect(change(database, d, [])).toEqual(["waiting > queued"]);
    expect(getTask(database.reader, d)).toMatchObject({ status: "queued", reason: null, dependsOn: [] });
    carryOut(database, a, "failed");
    expect(change(database, d, [a, b])).toEqual(["queued > blocked"]);
    expect(change(database, d, [b, c])).toEqual(["blocked > waiting"]);
    expect(change(database, b, [])).toEqual(["blocked > queued"]);
    expect(getTask(database.reader, d)).toMatchObject({ status: "waiting", reason: "dependency" });
    expect(findProblems(database.reader)).toEqual([]);
  });

  test("do not let go what is blocked for another reason", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const { a, b } = diamond(database);
    // As another program, or a person with one, may hold it.
    using other = new DatabaseSync(scratch.path);
    other.exec(`UPDATE tasks SET status = 'blocked', reason = 'budget' WHERE id = '${a}'`);
    expect(change(database, a, [addTask(database, getTask(database.reader, a).projectId).id])).toEqual([]);
    expect(change(database, a, [])).toEqual([]);
    expect(getTask(database.reader, a)).toMatchObject({ status: "blocked", reason: "budget" });
    expect(getTask(database.reader, b).status).toBe("waiting");
  });

  test("stay as they are while it runs, after it succeeded, and where they would make a cycle, whoever writes", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const { a, b, d } = diamond(database);
    expect(() => change(database, a, [d])).toThrow("api#1 needs api#4 needs api#2 needs api#1");
    expect(() => change(database, a, [a])).toThrow("api#1 needs api#1");
    carryOut(database, a);
    const run = startTask(database, b);
    expect(() => change(database, b, [])).toThrow("api#2 is running");
    using other = new DatabaseSync(scratch.path);
    const remove = `DELETE FROM task_dependencies WHERE task_id = '${b}'`;
    expect(() => other.exec(remove)).toThrow("a task that runs or has succeeded never change");
    database.writeNow((tx) => finishRun(tx, run, { outcome: content, next: step("succeeded") }));
    expect(() => change(database, b, [])).toThrow("api#2 has succeeded");
    expect(() => other.exec(remove)).toThrow("a task that runs or has succeeded never change");
    other.exec(`DELETE FROM task_dependencies WHERE task_id = '${d}'`);
    expect(getTask(database.reader, d)).toMatchObject({ status: "queued", dependsOn: [] });
  });
});

test("the graph holds open tasks, the oldest first, with what they need and are parts of, and says how many it leaves out", () => {
  using scratch = scratchDatabase();
  const { database } = scratch;
  const { a, b, c, d } = diamond(database);
  const { projectId } = getTask(database.reader, a);
  carryOut(database, a);
  const part = addTask(database, projectId, { parentId: a }).id;
  const other = addTask(database, addProject(database, { name: "web" }).id).id;
  const ids = (filter: Partial<Parameters<typeof loadGraph>[1]> = {}) => {
    const { tasks, omitted } = loadGraph(database.reader, { limit: 10, ...filter });
    return { tasks: tasks.map(({ id }) => id), omitted };
  };
  expect(ids()).toEqual({ tasks: [b, c, d, part, other, a], omitted: 0 });
  expect(ids({ projectId })).toEqual({ tasks: [b, c, d, part, a], omitted: 0 });
  expect(ids({ projectId, limit: 1 })).toEqual({ tasks: [b, a], omitted: 3 });
});

describe("a change by another program", () => {
  test("wakes and blocks dependents, with its events, as ours does", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const tasks = diamond(database);
    startTask(database, tasks.a);
    const before = database.reader.get<{ last: number }>("SELECT max(sequence) AS last FROM events")?.last ?? 0;
    using other = new DatabaseSync(scratch.path);
    other.exec(`UPDATE tasks SET status = 'succeeded' WHERE id = '${tasks.a}'`);
    expect(database.noticeForeign()).toBe(true);
    expect(statuses(database, tasks)).toEqual({ a: "succeeded", b: "queued", c: "queued", d: "waiting" });
    expect(
      loadShares(database.reader, Date.now()).flatMap(({ lanes }) => lanes.flatMap(({ heads }) => heads.map((head) => head.taskId))),
    ).toEqual([tasks.b]);
    const told = eventsAfter(database.reader, before, { limit: 100 }).map(({ type, taskId, data }) => [type, taskId, data]);
    const moved = (from: string, to: string) => ({ from, to, reason: null, message: null });
    expect(told).toEqual([
      ["task.status_changed", tasks.a, moved("running", "succeeded")],
      ["task.status_changed", tasks.b, moved("waiting", "queued")],
      ["task.status_changed", tasks.c, moved("waiting", "queued")],
    ]);
  });

  test("that takes a task from its run has its way: the runner is told to stop, and no other run begins before it has", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const { a } = diamond(database);
    const run = startTask(database, a);
    using other = new DatabaseSync(scratch.path);
    other.exec(`UPDATE tasks SET status = 'queued' WHERE id = '${a}'`);
    expect(stopRequests(database.reader)).toEqual([{ runId: run.id, by: "user", message: "The task was set to queued in the database." }]);
    expect(() => startTask(database, a)).toThrow("can't be claimed");
    const push = { kind: "push", branch: "drover/1", commit: "c0ffee" } as const;
    const next = step("succeeded", { effects: [push] });
    expect(database.writeNow((tx) => finishRun(tx, run, { outcome: content, next }))).toBe(true);
    expect([getRun(database.reader, run.id).outcome, listEffects(database.reader, a)]).toEqual([content, []]);
    expect(getTask(database.reader, a)).toMatchObject({ status: "queued", attempt: 1 });
    // The other program's time is the real one.
    scratch.clock.advance(Date.now() - scratch.clock.now());
    expect(startTask(database, a)).toMatchObject({ attempt: 2, epoch: 2 });
  });

  test("that wants a failed task again gives it all its attempts, no old reason, and its turn at once", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const { a } = diamond(database);
    const run = startTask(database, a);
    const next = step("failed", { reason: "agent_error", message: "It crashed.", runAfter: Date.now() + 1e9 });
    database.writeNow((tx) => finishRun(tx, run, { outcome: content, next }));
    using other = new DatabaseSync(scratch.path);
    other.exec(`UPDATE tasks SET status = 'queued' WHERE id = '${a}'`);
    const task = getTask(database.reader, a);
    expect(task).toMatchObject({ status: "queued", reason: null, message: null, attempt: 0, finishedAt: null });
    expect(task.runAfter).toBeLessThanOrEqual(Date.now());
    expect(task.updatedAt).toBeGreaterThan(scratch.clock.now());
  });

  test("that queues a task whose dependencies are not ready does not start it", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const { d } = diamond(database);
    using other = new DatabaseSync(scratch.path);
    other.exec(`UPDATE tasks SET status = 'queued' WHERE id = '${d}'`);
    expect(getTask(database.reader, d)).toMatchObject({ status: "waiting", reason: "dependency" });
  });
});
