import { expect, test } from "vitest";
import type { NewHookEvent } from "../../src/contract/hook.ts";
import { forgetHookEvents, hookOffset, listHookEvents, recordHookEvents, recordSpooledHooks } from "../../src/store/hook-events.ts";
import { finishRun } from "../../src/store/transitions.ts";
import { addProject, addTask, content, scratchDatabase, startTask, step } from "../support/scratch-database.ts";

function told(name: string, change: Partial<NewHookEvent> = {}): NewHookEvent {
  return { source: "agent", category: "tool", name, tool: "Write", detail: { tool_input: { file_path: "a.txt" } }, ...change };
}

function sceneOf() {
  const scratch = scratchDatabase();
  const { id: projectId } = addProject(scratch.database);
  const task = addTask(scratch.database, projectId);
  return {
    scratch,
    ...scratch,
    projectId,
    task,
    run: startTask(scratch.database, task.id),
    [Symbol.dispose]: () => scratch[Symbol.dispose](),
  };
}

test("what is told of an open run is listed whole, by run, by task and by category, in its order", () => {
  using scene = sceneOf();
  const { database, clock, run, task, projectId } = scene;
  const events = [
    told("PostToolUse"),
    told("Stop", { category: "session", tool: null }),
    told("agent_ended", { source: "daemon", category: "error" }),
  ];
  expect(database.writeNow((tx) => recordHookEvents(tx, run, events))).toBe(true);
  const about = { at: clock.now(), runId: run.id, taskId: task.id, projectId, agent: "claude" };
  const all = events.map((event, index) => ({ sequence: index + 1, ...about, ...event }));
  expect(listHookEvents(database.reader, { runId: run.id, limit: 10 })).toEqual(all);
  expect(listHookEvents(database.reader, { taskId: task.id, after: 1, limit: 1 })).toEqual(all.slice(1, 2));
  expect(listHookEvents(database.reader, { runId: run.id, category: "error", limit: 10 })).toEqual(all.slice(2));
});

test("nobody speaks for a run that is over, or under an earlier claim", () => {
  using scene = sceneOf();
  const { database, run } = scene;
  const record = (change: Partial<typeof run> = {}) =>
    database.writeNow((tx) => recordHookEvents(tx, { ...run, ...change }, [told("Stop")]));
  expect(record({ epoch: 2 })).toBe(false);
  database.writeNow((tx) => finishRun(tx, run, { outcome: content, next: step("queued") }));
  expect(record()).toBe(false);
  expect(listHookEvents(database.reader, { runId: run.id, limit: 10 })).toEqual([]);
});

test("what a spool holds is taken in once, in whichever daemon's hands it is", () => {
  using scene = sceneOf();
  const { database, run } = scene;
  const take = (from: number, end: number, name: string) =>
    database.writeNow((tx) => recordSpooledHooks(tx, run, { from, end, events: [told(name)] }));
  expect([take(0, 10, "first"), take(0, 10, "first again"), take(5, 20, "gap"), take(10, 30, "second")]).toEqual([
    true,
    false,
    false,
    true,
  ]);
  expect(hookOffset(database.reader, run.id)).toBe(30);
  expect(listHookEvents(database.reader, { runId: run.id, limit: 10 }).map(({ name }) => name)).toEqual(["first", "second"]);
});

test("hook events are never changed, and forgotten by age, some at a time", () => {
  using scene = sceneOf();
  const { database, clock, run } = scene;
  database.writeNow((tx) => recordHookEvents(tx, run, [told("old 1"), told("old 2"), told("old 3")]));
  clock.advance(1000);
  database.writeNow((tx) => recordHookEvents(tx, run, [told("new")]));
  expect(() => database.writeNow((tx) => tx.run("UPDATE hook_events SET name = 'x'"))).toThrow(/never changed/);
  const forget = () => database.writeNow((tx) => forgetHookEvents(tx, clock.now(), 2));
  expect([forget(), forget(), forget()]).toEqual([2, 1, 0]);
  expect(listHookEvents(database.reader, { runId: run.id, limit: 10 }).map(({ name }) => name)).toEqual(["new"]);
});
