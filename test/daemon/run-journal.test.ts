import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { silentLog } from "../../src/base/log.ts";
import { Config } from "../../src/contract/config.ts";
import { createLogFiles } from "../../src/daemon/log-files.ts";
import { RunJournal } from "../../src/daemon/run-journal.ts";
import type { Database } from "../../src/store/database.ts";
import { saveIssueCursor } from "../../src/store/intake.ts";
import { addProject, addTask, carryOut, scratchDatabase } from "../support/scratch-database.ts";

const RUN = ["run.started", "run.ended"];

test("each project's agent.log holds its own runs, and a worker's log those of all, also after a commit without an event", async () => {
  using scratch = scratchDatabase();
  const scene = journalOf(scratch.folder, scratch.database);
  const [api, web] = scene.projects;
  scratch.database.writeNow((tx) => saveIssueCursor(tx, api.id, "cursor"));
  const [first, second] = [addTask(scratch.database, api.id), addTask(scratch.database, web.id)];
  for (const task of [first, second]) carryOut(scratch.database, task.id);
  await scene.end();
  expect(scene.lines(join(api.path, ".drover", "agent.log")).map(({ task, event }) => [task, event])).toEqual(
    RUN.map((type) => ["api#1", type]),
  );
  expect(scene.lines(join(web.path, ".drover", "agent.log")).map(({ task, event }) => [task, event])).toEqual(
    RUN.map((type) => ["web#1", type]),
  );
  expect(scene.lines(scene.workerLog).map(({ task, msg }) => [task, msg])).toEqual(
    ["api#1", "web#1"].flatMap((key) => RUN.map((type) => [key, type])),
  );
});

test("a project whose agent.log can't be written is warned of once and keeps no other log from its lines", async () => {
  using scratch = scratchDatabase();
  const scene = journalOf(scratch.folder, scratch.database);
  const [api, web] = scene.projects;
  mkdirSync(join(api.path, ".drover", "agent.log"));
  for (const project of [api, web, api]) carryOut(scratch.database, addTask(scratch.database, project.id).id);
  await scene.end();
  expect(scene.warnings).toEqual(["agent log not written"]);
  expect(scene.lines(join(web.path, ".drover", "agent.log"))).toHaveLength(RUN.length);
  expect(scene.lines(scene.workerLog).map(({ task }) => task)).toEqual(["api#1", "api#1", "web#1", "web#1", "api#2", "api#2"]);
});

/** A journal in force, over two projects in the folder; nothing is committed since it began. */
function journalOf(folder: string, database: Database) {
  const project = (name: string) => {
    const path = join(folder, name);
    mkdirSync(join(path, ".drover"), { recursive: true });
    return addProject(database, { name, path });
  };
  const projects = [project("api"), project("web")] as const;
  const warnings: string[] = [];
  const logs = join(folder, "logs");
  const files = createLogFiles(logs, Config.parse({}).logging, (text) => text);
  const journal = new RunJournal(database, files, { ...silentLog, warn: (message) => void warnings.push(message) });
  return {
    projects,
    warnings,
    workerLog: join(logs, "worker-1.log"),
    async end() {
      await journal.stop();
      await files.close();
    },
    lines: (file: string) =>
      readFileSync(file, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}
