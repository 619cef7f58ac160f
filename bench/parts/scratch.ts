import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import type { ProjectId } from "../../src/contract/ids.ts";
import type { Project } from "../../src/contract/project.ts";
import type { NewTask, Task } from "../../src/contract/task.ts";
import { Database, type Transaction } from "../../src/store/database.ts";
import { insertProject } from "../../src/store/projects.ts";
import { insertTask } from "../../src/store/tasks.ts";

/** A folder on the machine's own disk, removed at its end. */
export interface Scratch extends Disposable {
  readonly folder: string;
  open(name?: string): Database;
}

export function makeScratch(): Scratch {
  const folder = mkdtempSync(join(tmpdir(), "drover-bench-"));
  const opened: Database[] = [];
  return {
    folder,
    open(name = "drover") {
      const path = join(folder, name, "drover.db");
      const database = Database.open({ path, backups: join(folder, "backups"), clock: systemClock, log: silentLog, reserveBytes: 0 });
      opened.push(database);
      return database;
    },
    [Symbol.dispose]() {
      for (const database of opened) database.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export function addProject(tx: Transaction, name: string): Project {
  return insertProject(tx, {
    name,
    path: `/projects/${name}`,
    forge: "local",
    repository: null,
    remote: `/projects/${name}`,
    baseBranch: "main",
    priority: 50,
    weight: 1,
    enabled: true,
  });
}

/** A task of an issue: one that will say what becomes of it in a comment. */
export function addTask(tx: Transaction, projectId: ProjectId, issue: number): Task {
  const task: NewTask = {
    projectId,
    title: `Issue ${issue}`,
    body: "It should answer 200.",
    source: { kind: "local", key: `issue:${issue}`, issue, url: null, actor: "ada" },
    workflow: "issue",
    stage: "implement",
    delivery: "pull_request",
    priority: 50,
    deadlineAt: null,
    dependsOn: [],
    parentId: null,
    attemptMax: 3,
    draft: false,
  };
  return insertTask(tx, task).task;
}

/** A claim but for its task. */
export const CLAIM = {
  worker: 1,
  agent: "claude",
  driver: "claude",
  isolation: "process",
  account: "claude",
  leaseMs: 30_000,
  virtualTime: 1,
};
