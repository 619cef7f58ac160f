import { expect, test } from "vitest";
import { Config } from "../../src/contract/config.ts";
import type { Project } from "../../src/contract/project.ts";
import { fileDueSupervision } from "../../src/engine/supervision/due.ts";
import { listTasks } from "../../src/store/tasks.ts";
import { finishRun, requestCancel } from "../../src/store/transitions.ts";
import { addProject, addTask, carryOut, content, scratchDatabase, startTask, step } from "../support/scratch-database.ts";
import { builtinWorkflows } from "../support/workflows.ts";

const HOUR_MS = 3_600_000;

/** A database with the projects `api` and `web`, of which `api` alone is looked over each hour, and all together every two. */
async function openWorld() {
  const scratch = scratchDatabase();
  const { database, clock } = scratch;
  const { workflows, inForce } = builtinWorkflows(database);
  await inForce;
  const [api, web] = [addProject(database), addProject(database, { name: "web" })];
  const supervision = { systemEveryMs: 2 * HOUR_MS, systemProject: "web" };
  const config = Config.parse({ supervision });
  const settings = {
    current: () => config,
    list: () => [],
    isKnown: () => true,
    error: () => null,
    secret: () => undefined,
    environment: () => ({}),
    forProject: ({ name }: Project) => Config.parse({ supervision: { projectEveryMs: name === "api" ? HOUR_MS : null } }),
  };
  const look = async () => {
    await fileDueSupervision({ clock, database, settings, workflows });
    return listTasks(database.reader, { limit: 50 })
      .filter(({ workflow }) => workflow !== "issue")
      .map(({ key, workflow, parameters, status }) => [key, workflow, parameters["scope"], status])
      .toReversed();
  };
  return { ...scratch, api, web, look, [Symbol.dispose]: () => scratch[Symbol.dispose]() };
}

test("supervision is filed when it is due and something was done, one of a kind at a time", async () => {
  using world = await openWorld();
  const { database, clock, api, look } = world;
  expect(await look()).toEqual([]);
  carryOut(database, addTask(database, api.id).id);
  const first = [
    ["api#2", "supervise", "project", "queued"],
    ["web#1", "manage", "system", "queued"],
  ];
  expect(await look()).toEqual(first);
  clock.advance(HOUR_MS);
  carryOut(database, addTask(database, api.id).id);
  clock.advance(3 * HOUR_MS);
  // The ones before have not ended.
  expect(await look()).toEqual(first);

  const supervising = listTasks(database.reader, { limit: 50 }).filter(({ workflow }) => workflow !== "issue");
  for (const { id } of supervising) database.writeNow((tx) => requestCancel(tx, id, { by: "user", actor: "ada", message: "Not now." }));
  expect(await look()).toEqual([
    ["api#2", "supervise", "project", "cancelled"],
    ["web#1", "manage", "system", "cancelled"],
    ["api#4", "supervise", "project", "queued"],
    ["web#2", "manage", "system", "queued"],
  ]);
});

test("what supervision did itself is nothing to look over, nor is what ended before the last time", async () => {
  using world = await openWorld();
  const { database, clock, api, look } = world;
  carryOut(database, addTask(database, api.id).id);
  await look();
  for (const { id, workflow } of listTasks(database.reader, { limit: 50 })) {
    if (workflow === "issue") continue;
    const run = startTask(database, id, workflow === "manage" ? "manager" : "supervisory");
    database.writeNow((tx) => finishRun(tx, run, { outcome: content, next: step("succeeded") }));
  }
  clock.advance(5 * HOUR_MS);
  expect(await look()).toHaveLength(2);
  startTask(database, addTask(database, api.id).id);
  expect(await look()).toHaveLength(4);
});
