import { describe, expect, test } from "vitest";
import { Project } from "../../src/contract/project.ts";
import { eventsAfter, lastSequence } from "../../src/store/events.ts";
import {
  changeProject,
  countProjects,
  findProject,
  getProject,
  insertProject,
  listProjects,
  recordPoll,
  removeProject,
} from "../../src/store/projects.ts";
import { getTask } from "../../src/store/tasks.ts";
import { stopRequests } from "../../src/store/transitions.ts";
import { addProject, addTask, carryOut, scratchDatabase, startTask } from "../support/scratch-database.ts";

const wanted = {
  name: "api",
  path: "/repositories/api",
  forge: "github",
  repository: "acme/api",
  remote: "https://github.com/acme/api.git",
  baseBranch: "main",
  priority: 50,
  weight: 1.5,
  enabled: true,
} as const;

describe("a project", () => {
  test("is registered with all that was said of it, and found by name and id", () => {
    using scratch = scratchDatabase();
    const { database, clock } = scratch;
    const project = database.writeNow((tx) => insertProject(tx, wanted));
    expect(Project.parse(project)).toEqual({ ...wanted, id: project.id, registeredAt: clock.now(), polledAt: null, lastError: null });
    expect(["api", project.id, "web"].map((name) => findProject(database.reader, name))).toEqual([project, project, undefined]);
    expect(() => getProject(database.reader, "project_none")).toThrow(expect.objectContaining({ code: "not_found" }));
  });

  test("is refused when its path or its name is taken", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    database.writeNow((tx) => insertProject(tx, wanted));
    expect(() => database.writeNow((tx) => insertProject(tx, { ...wanted, name: "other" }))).toThrow(
      "/repositories/api is registered already, as api.",
    );
    expect(() => database.writeNow((tx) => insertProject(tx, { ...wanted, path: "/other" }))).toThrow(
      "The name api is taken by /repositories/api.",
    );
    expect(countProjects(database.reader)).toBe(1);
  });

  test("is changed with an event that names what changed; no change is no event", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const project = database.writeNow((tx) => insertProject(tx, wanted));
    const before = lastSequence(database.reader);
    const changed = database.writeNow((tx) => changeProject(tx, project.id, { priority: 80, weight: 2, enabled: true }));
    expect(changed).toEqual({ ...project, priority: 80, weight: 2 });
    database.writeNow((tx) => changeProject(tx, project.id, { priority: 80 }));
    expect(eventsAfter(database.reader, before, { projectId: project.id, limit: 10 }).map(({ type, data }) => [type, data])).toEqual([
      ["project.changed", { name: "api", changed: ["priority", "weight"] }],
    ]);
    expect(() => database.writeNow((tx) => tx.run("UPDATE projects SET name = 'x'"))).toThrow("never change");
    expect(() => database.writeNow((tx) => tx.run("DELETE FROM projects"))).toThrow("never removed");
  });

  test("is forgotten with its open tasks cancelled and its history kept, and can come again", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const project = database.writeNow((tx) => insertProject(tx, wanted));
    const [done, running, queued] = [addTask(database, project.id), addTask(database, project.id), addTask(database, project.id)];
    const needing = addTask(database, project.id, { dependsOn: [queued.id] });
    const elsewhere = addTask(database, addProject(database, { name: "web" }).id, { dependsOn: [queued.id] });
    carryOut(database, done.id);
    const run = startTask(database, running.id);
    expect(database.writeNow((tx) => removeProject(tx, project.id))).toEqual({ ...project, enabled: false });
    expect([done, running, queued, needing, elsewhere].map((task) => getTask(database.reader, task.id).status)).toEqual([
      "succeeded",
      "running",
      "cancelled",
      "cancelled",
      "blocked",
    ]);
    expect(stopRequests(database.reader)).toEqual([{ runId: run.id, by: "user", message: "The project was unregistered." }]);
    expect(listProjects(database.reader).map(({ name }) => name)).toEqual(["web"]);
    expect([findProject(database.reader, "api"), findProject(database.reader, project.id)?.enabled]).toEqual([undefined, false]);
    expect(() => database.writeNow((tx) => removeProject(tx, project.id))).toThrow(expect.objectContaining({ code: "not_found" }));
    expect(database.writeNow((tx) => insertProject(tx, wanted)).id).not.toBe(project.id);
  });

  test("tells of its polls only when they begin or cease to fail", () => {
    using scratch = scratchDatabase();
    const { database, clock } = scratch;
    const { id } = addProject(database);
    const before = lastSequence(database.reader);
    const poll = (result: Parameters<typeof recordPoll>[2]) => database.writeNow((tx) => recordPoll(tx, id, result));
    poll({ ok: true });
    const polledAt = clock.now();
    clock.advance(1000);
    poll({ ok: false, message: "No answer." });
    poll({ ok: false, message: "Refused." });
    expect(getProject(database.reader, id)).toMatchObject({ polledAt, lastError: "Refused." });
    poll({ ok: true });
    poll({ ok: true });
    expect(getProject(database.reader, id)).toMatchObject({ polledAt: clock.now(), lastError: null });
    expect(eventsAfter(database.reader, before, { limit: 10 }).map(({ type, data }) => [type, data])).toEqual([
      ["project.poll_failed", { message: "No answer." }],
      ["project.poll_recovered", {}],
    ]);
  });

  test("is listed by name, page by page", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    for (const name of ["web", "api", "docs"]) addProject(database, { name });
    const page = (after?: string) => listProjects(database.reader, { after, limit: 2 }).map(({ name }) => name);
    expect([page(), page("docs")]).toEqual([["api", "docs"], ["web"]]);
  });
});
