import { DatabaseSync } from "node:sqlite";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { TaskStatus } from "../../src/contract/task.ts";
import { firstStatuses, foldMoves, mayMove, type TaskMove } from "../../src/domain/task-states.ts";
import { eventsAfter } from "../../src/store/events.ts";
import { countTasks, getTask } from "../../src/store/tasks.ts";
import { findProblems } from "../../src/store/verification.ts";
import { addProject, addTask, scratchDatabase } from "../support/scratch-database.ts";

/** A way to each status, by moves that are allowed. */
const ways: Record<TaskStatus, readonly TaskStatus[]> = {
  draft: [],
  queued: ["queued"],
  running: ["queued", "running"],
  waiting: ["queued", "waiting"],
  blocked: ["queued", "blocked"],
  succeeded: ["queued", "running", "succeeded"],
  failed: ["queued", "running", "failed"],
  cancelled: ["cancelled"],
};

test("the database allows exactly the moves of the domain, whoever writes", () => {
  using scratch = scratchDatabase();
  const project = addProject(scratch.database);
  using other = new DatabaseSync(scratch.path);
  const allowed: Record<string, TaskStatus[]> = {};
  const expected: Record<string, TaskStatus[]> = {};
  for (const from of TaskStatus.options) {
    const others = TaskStatus.options.filter((to) => to !== from);
    expected[from] = others.filter((to) => mayMove(from, to));
    allowed[from] = others.filter((to) => {
      const task = addTask(scratch.database, project.id, { draft: true });
      for (const status of ways[from]) move(other, task.id, status);
      return isAllowed(() => move(other, task.id, to));
    });
  }
  expect(allowed).toEqual(expected);
});

test("a task begins as draft, queued, waiting or blocked, and never goes away", () => {
  using scratch = scratchDatabase();
  const task = addTask(scratch.database, addProject(scratch.database).id);
  using other = new DatabaseSync(scratch.path);
  const columns =
    "project_id, workflow, delivery, stage, priority, run_after, queued_at, attempt_max, created_at, updated_at, title, content_hash, source_kind";
  const insert = (status: string) =>
    other.exec(
      `INSERT INTO tasks (id, number, source_key, status, ${columns}) SELECT '${status}', number + 100 + (SELECT count(*) FROM tasks), '${status}', '${status}', ${columns} FROM tasks WHERE id = '${task.id}'`,
    );
  expect(TaskStatus.options.filter((status) => isAllowed(() => insert(status)))).toEqual(firstStatuses);
  expect(() => other.exec("DELETE FROM tasks")).toThrow("tasks are never removed");
});

test("whatever is tried, the status is where the history leads, and the counters are right", () => {
  const writers = fc.constantFrom("ours", "another program");
  const tries = fc.array(fc.record({ task: fc.nat(2), to: fc.constantFrom(...TaskStatus.options), by: writers }), { maxLength: 40 });
  fc.assert(
    fc.property(tries, (all) => {
      using scratch = scratchDatabase();
      const { database } = scratch;
      const project = addProject(database);
      const first = addTask(database, project.id);
      // The second needs the first, so that moves of the one set off moves of the other.
      const tasks = [first, addTask(database, project.id, { dependsOn: [first.id] }), addTask(database, project.id, { draft: true })];
      using other = new DatabaseSync(scratch.path);
      for (const { task, to, by } of all) {
        scratch.clock.advance(1000);
        const { id } = tasks[task] ?? first;
        const before = getTask(database.reader, id);
        const works = isAllowed(() =>
          by === "ours" ? database.writeNow((tx) => move({ exec: (text) => void tx.run(text) }, id, to)) : move(other, id, to),
        );
        expect([before.status, to, works]).toEqual([before.status, to, before.status === to || mayMove(before.status, to)]);
      }
      for (const { id } of tasks) {
        const moves = eventsAfter(database.reader, 0, { taskId: id, limit: 1000 }).filter((event) => event.type === "task.status_changed");
        const folded = foldMoves(
          tasks.find((task) => task.id === id)?.status ?? "draft",
          moves.map((event) => event.data as TaskMove),
        );
        expect(folded).toEqual({ status: getTask(database.reader, id).status, problem: null });
      }
      const statuses = tasks.map(({ id }) => getTask(database.reader, id).status);
      const counted = Object.fromEntries(TaskStatus.options.map((status) => [status, statuses.filter((one) => one === status).length]));
      expect([countTasks(database.reader), countTasks(database.reader, project.id)]).toEqual([counted, counted]);
      // These moves to `running` are not claims, so there are no runs to find.
      expect(findProblems(database.reader).filter((problem) => !/open run|newest run/.test(problem))).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

interface Statements {
  exec(text: string): void;
}

function move(writer: Statements, id: string, to: TaskStatus): void {
  const epoch = to === "running" ? ", epoch = epoch + (status <> 'running')" : "";
  writer.exec(`UPDATE tasks SET status = '${to}'${epoch} WHERE id = '${id}'`);
}

function isAllowed(attempt: () => void): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
