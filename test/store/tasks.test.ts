import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { TaskId } from "../../src/contract/ids.ts";
import { Task, TaskStatus } from "../../src/contract/task.ts";
import { addDependencies } from "../../src/store/dependencies.ts";
import { eventsAfter } from "../../src/store/events.ts";
import { insertProject, removeProject } from "../../src/store/projects.ts";
import { countTasks, findTask, getTask, insertTask, listTasks, setBranch, setPullRequest } from "../../src/store/tasks.ts";
import { requestCancel } from "../../src/store/transitions.ts";
import { addProject, addTask, carryOut, newTask, scratchDatabase, startTask } from "../support/scratch-database.ts";

const cancel = { by: "user", actor: "ada", message: "Not wanted." } as const;

describe("making a task", () => {
  test("keeps all that was asked for", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const project = addProject(database);
    const parent = addTask(database, project.id);
    const wanted = newTask(project.id, {
      body: "x".repeat(200_000),
      source: { kind: "github", key: "issue:42", issue: 42, url: "https://github.com/acme/api/issues/42", actor: "octocat" },
      deadlineAt: 1_800_000_000_000,
      parentId: parent.id,
      dependsOn: [parent.id],
    });
    const { task, created } = database.writeNow((tx) => insertTask(tx, wanted));
    const { draft, ...asked } = wanted;
    const now = scratch.clock.now();
    expect([created, draft, Task.parse(task)]).toEqual([
      true,
      false,
      {
        ...asked,
        id: task.id,
        project: "api",
        number: 2,
        key: "api#2",
        contentHash: task.contentHash,
        status: "waiting",
        reason: "dependency",
        message: null,
        runAfter: now,
        attempt: 0,
        iteration: 1,
        parameters: {},
        needs: [],
        workflowVersion: null,
        epoch: 0,
        branch: null,
        pullRequest: null,
        usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, costUsdMicros: null },
        createdAt: now,
        updatedAt: now,
        startedAt: null,
        finishedAt: null,
      },
    ]);
    expect(task.contentHash).toMatch(/^[0-9a-f]{64}$/);
    expect(eventsAfter(database.reader, 0, { taskId: task.id, limit: 10 })).toEqual([
      {
        sequence: 3,
        at: now,
        type: "task.created",
        projectId: project.id,
        taskId: task.id,
        runId: null,
        data: { key: "api#2", title: wanted.title, status: "waiting" },
      },
    ]);
  });

  test("from the same source twice makes one, however often and in whatever order sources come", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ kind: fc.constantFrom("github" as const, "api" as const), key: fc.constantFrom("a", "b", "c") })),
        (sources) => {
          using scratch = scratchDatabase();
          const { database } = scratch;
          const projects = [addProject(database), addProject(database, { name: "web" })];
          const made = new Map<string, TaskId>();
          for (const { kind, key } of sources) {
            for (const project of projects) {
              const source = { kind, key, issue: null, url: null, actor: null };
              const { task, created } = database.writeNow((tx) => insertTask(tx, newTask(project.id, { source })));
              const name = `${project.name} ${kind} ${key}`;
              expect([name, created, task.id]).toEqual([name, !made.has(name), made.get(name) ?? task.id]);
              made.set(name, task.id);
            }
          }
          expect(listTasks(database.reader, { limit: 500 })).toHaveLength(made.size);
        },
      ),
      { numRuns: 20 },
    );
  });

  test("is refused while the queue is full, but not for a draft or one that is there already", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const project = addProject(database);
    const wanted = newTask(project.id);
    const insert = (task: typeof wanted) => database.writeNow((tx) => insertTask(tx, task, { queued: 1 }));
    insert(wanted);
    const refused = () => insert(newTask(project.id));
    expect(refused).toThrow(expect.objectContaining({ code: "unavailable", details: { reason: "queue_full", retryAfterMs: 60_000 } }));
    expect([insert(wanted).created, insert(newTask(project.id, { draft: true })).task.status]).toEqual([false, "draft"]);
  });

  test("is refused for a project that is not registered", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const project = addProject(database);
    database.writeNow((tx) => removeProject(tx, project.id));
    expect(() => addTask(database, project.id)).toThrow(expect.objectContaining({ code: "not_found" }));
  });
});

describe("dependencies", () => {
  test("decide how a task begins", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const { id } = addProject(database);
    const [done, failed, open] = [addTask(database, id), addTask(database, id), addTask(database, id)];
    carryOut(database, done.id);
    carryOut(database, failed.id, "failed");
    const begin = (dependsOn: TaskId[]) => {
      const { status, reason } = addTask(database, id, { dependsOn });
      return [status, reason];
    };
    expect([[done.id], [done.id, open.id], [open.id, failed.id]].map(begin)).toEqual([
      ["queued", null],
      ["waiting", "dependency"],
      ["blocked", "dependency_failed"],
    ]);
    expect(addTask(database, id, { dependsOn: [failed.id], draft: true }).status).toBe("draft");
    expect(() => begin(["task_nonsense"])).toThrow(expect.objectContaining({ code: "invalid" }));
  });

  test("that go round in a circle are refused with the members' names, by SQL too", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const { id } = addProject(database);
    const a = addTask(database, id);
    const b = addTask(database, id, { dependsOn: [a.id] });
    const c = addTask(database, id, { dependsOn: [b.id] });
    expect(() => database.writeNow((tx) => addDependencies(tx, a.id, [c.id]))).toThrow("api#1 needs api#3 needs api#2 needs api#1");
    expect(() => database.writeNow((tx) => addDependencies(tx, a.id, [a.id]))).toThrow("api#1 needs api#1");
    const bySql = () => database.writeNow((tx) => tx.run("INSERT INTO task_dependencies VALUES (:a, :c)", { a: a.id, c: c.id }));
    expect(bySql).toThrow("a task can't depend on itself");
    expect(getTask(database.reader, a.id).dependsOn).toEqual([]);
  });

  test("added later hold a queued task", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const { id } = addProject(database);
    const [a, b] = [addTask(database, id), addTask(database, id)];
    database.writeNow((tx) => addDependencies(tx, b.id, [a.id]));
    expect(getTask(database.reader, b.id)).toMatchObject({ status: "waiting", reason: "dependency", dependsOn: [a.id] });
  });
});

describe("finding a task", () => {
  test("by id or key; the key stays one task's when its project's name is used again", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const old = addProject(database);
    const first = addTask(database, old.id);
    database.writeNow((tx) => removeProject(tx, old.id));
    const again = database.writeNow((tx) => insertProject(tx, { ...old }));
    const second = addTask(database, again.id);
    expect([first.key, second.key]).toEqual(["api#1", "api#2"]);
    expect(["api#1", "api#2", first.id, "api#3", "web#1", "task_nonsense"].map((name) => findTask(database.reader, name)?.id)).toEqual([
      first.id,
      second.id,
      first.id,
      undefined,
      undefined,
      undefined,
    ]);
    expect(() => getTask(database.reader, "task_nonsense")).toThrow(expect.objectContaining({ code: "not_found" }));
  });
});

describe("listing tasks", () => {
  test("page by page gives each task once, the newest first, whatever is asked for", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const projects = [addProject(database), addProject(database, { name: "web" })];
    for (let index = 0; index < 30; index += 1) {
      const project = projects[index % 2] ?? projects[0];
      if (!project) continue;
      const task = addTask(database, project.id, { stage: index % 3 === 0 ? "plan" : "implement", draft: index % 5 === 0 });
      if (index % 4 === 0) database.writeNow((tx) => requestCancel(tx, task.id, cancel));
    }
    const all = listTasks(database.reader, { limit: 500 });
    expect(all.map((task) => task.createdAt)).toHaveLength(30);
    const filters = fc.record(
      {
        projectId: fc.constantFrom(...projects.map(({ id }) => id)),
        status: fc.constantFrom(...TaskStatus.options),
        stage: fc.constantFrom("plan", "implement"),
        recent: fc.boolean(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(filters, fc.integer({ min: 1, max: 12 }), (filter, limit) => {
        const expected = all.filter(
          (task) =>
            (filter.projectId === undefined || task.projectId === filter.projectId) &&
            (filter.status === undefined || task.status === filter.status) &&
            (filter.stage === undefined || task.stage === filter.stage) &&
            (!filter.recent || task.finishedAt !== null),
        );
        const pages: Task[] = [];
        for (let after: string | undefined; ; after = pages.at(-1)?.id) {
          const page = listTasks(database.reader, { ...filter, after, limit });
          pages.push(...page);
          if (page.length < limit) break;
        }
        expect(pages).toEqual(expected);
      }),
    );
    expect(() => listTasks(database.reader, { after: "task_nonsense", limit: 1 })).toThrow(expect.objectContaining({ code: "invalid" }));
  });

  test("recent holds the 100 that ended last, while all stay in the list", () => {
    using scratch = scratchDatabase();
    const { database, clock } = scratch;
    const { id } = addProject(database);
    const made = Array.from({ length: 150 }, () => addTask(database, id));
    // The first made ends last.
    for (const task of made.toReversed()) {
      clock.advance(1);
      database.writeNow((tx) => requestCancel(tx, task.id, cancel));
    }
    const recent = [{}, { projectId: id }].map((filter) =>
      listTasks(database.reader, { ...filter, recent: true, limit: 500 }).map((task) => task.number),
    );
    const lastEnded = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(recent).toEqual([lastEnded, lastEnded]);
    expect(listTasks(database.reader, { limit: 500 })).toHaveLength(150);
  });
});

test("what a task is and what was approved never change, whoever writes", () => {
  using scratch = scratchDatabase();
  const { database } = scratch;
  const { id } = addTask(database, addProject(database).id);
  const change = (what: string) => database.writeNow((tx) => tx.run(`UPDATE ${what}`));
  for (const what of [
    "tasks SET title = 'x'",
    "tasks SET content_hash = 'x'",
    "tasks SET number = 9",
    "tasks SET source_key = 'x'",
    "tasks SET created_at = 1",
  ]) {
    expect(() => change(what)).toThrow("never change");
  }
  expect(() => change("task_bodies SET body = 'x'")).toThrow("frozen");
  expect(() => change("tasks SET epoch = -1")).toThrow("never goes down");
  expect(() => change("tasks SET status = 'running'")).toThrow("only a claim starts a task");
  database.writeNow((tx) => setBranch(tx, id, "drover/1-health"));
  database.writeNow((tx) => setPullRequest(tx, id, { number: 7, url: "https://example.org/7" }));
  expect(getTask(database.reader, id)).toMatchObject({
    branch: "drover/1-health",
    pullRequest: { number: 7, url: "https://example.org/7" },
  });
});

test("counts are of a project or of all", () => {
  using scratch = scratchDatabase();
  const { database } = scratch;
  const [api, web] = [addProject(database), addProject(database, { name: "web" })];
  addTask(database, api.id);
  addTask(database, web.id, { draft: true });
  startTask(database, addTask(database, web.id).id);
  const none = { draft: 0, queued: 0, running: 0, waiting: 0, blocked: 0, succeeded: 0, failed: 0, cancelled: 0 };
  expect([countTasks(database.reader), countTasks(database.reader, api.id), countTasks(database.reader, web.id)]).toEqual([
    { ...none, queued: 1, draft: 1, running: 1 },
    { ...none, queued: 1 },
    { ...none, draft: 1, running: 1 },
  ]);
});
