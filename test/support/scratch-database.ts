import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../src/base/log.ts";
import type { ProjectId, TaskId } from "../../src/contract/ids.ts";
import type { Project } from "../../src/contract/project.ts";
import type { AgentKind, Run, RunOutcome } from "../../src/contract/run.ts";
import type { NewTask, Task } from "../../src/contract/task.ts";
import type { NextStep } from "../../src/domain/next-step.ts";
import { Database, type DatabaseOptions } from "../../src/store/database.ts";
import { insertProject } from "../../src/store/projects.ts";
import { getTask, insertTask } from "../../src/store/tasks.ts";
import { claimTask, finishRun } from "../../src/store/transitions.ts";
import { ManualClock } from "./manual-clock.ts";

/** A database in a folder of its own, which goes with it: `using scratch = scratchDatabase()`. */
export interface ScratchDatabase extends Disposable {
  readonly database: Database;
  readonly clock: ManualClock;
  readonly folder: string;
  readonly path: string;
  readonly backups: string;
  /** Opens the file anew, as the next process would. */
  reopen(options?: Partial<DatabaseOptions>): Database;
}

export function scratchDatabase(change: Partial<DatabaseOptions> = {}): ScratchDatabase {
  const folder = mkdtempSync(join(tmpdir(), "drover-store-"));
  const clock = new ManualClock();
  const path = join(folder, "data", "drover.db");
  const backups = join(folder, "backups");
  const opened: Database[] = [];
  const reopen = (again: Partial<DatabaseOptions> = {}) => {
    const database = Database.open({ path, backups, clock, log: silentLog, reserveBytes: 0, ...change, ...again });
    opened.push(database);
    return database;
  };
  return {
    database: reopen(),
    clock,
    folder,
    path,
    backups,
    reopen,
    [Symbol.dispose]() {
      for (const database of opened) database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function addProject(database: Database, change: Partial<Project> = {}): Project {
  const name = change.name ?? "api";
  const project = {
    name,
    path: `/repositories/${name}`,
    forge: "local",
    repository: null,
    remote: "/nowhere",
    baseBranch: "main",
  } as const;
  return database.writeNow((tx) => insertProject(tx, { ...project, priority: 50, weight: 1, enabled: true, ...change }));
}

let made = 0;

/** A wanted task with a source of its own; only what matters to the test is given. */
export function newTask(projectId: ProjectId, change: Partial<NewTask> = {}): NewTask {
  made += 1;
  return {
    projectId,
    title: "Add a health route",
    body: "It should answer 200.",
    source: { kind: "cli", key: `key-${made}`, issue: null, url: null, actor: "ada" },
    workflow: "issue",
    stage: "implement",
    delivery: "pull_request",
    priority: 50,
    deadlineAt: null,
    dependsOn: [],
    parentId: null,
    attemptMax: 3,
    draft: false,
    ...change,
  };
}

export function addTask(database: Database, projectId: ProjectId, change: Partial<NewTask> = {}): Task {
  return database.writeNow((tx) => insertTask(tx, newTask(projectId, change)).task);
}

/** Claims a task. Throws when it can't be claimed. */
export function startTask(database: Database, taskId: TaskId, kind: AgentKind = "worker"): Run {
  const claim = {
    taskId,
    worker: 1,
    agent: "claude",
    kind,
    driver: "claude",
    isolation: "process",
    account: "claude",
    leaseMs: 30_000,
    virtualTime: 1,
  };
  const run = database.writeNow((tx) => claimTask(tx, claim));
  if (!run) throw new Error(`${getTask(database.reader, taskId).key} can't be claimed.`);
  return run;
}

export const content: RunOutcome = { status: "no_change", report: "Nothing to do." };

export function step(status: NextStep["status"], change: Partial<NextStep> = {}): NextStep {
  return {
    status,
    stage: null,
    iteration: null,
    reason: null,
    message: null,
    runAfter: null,
    keepsAttempt: false,
    resumeSessionId: null,
    effects: [],
    ...change,
  };
}

/** Claims a task and ends it so. */
export function carryOut(database: Database, taskId: TaskId, status: NextStep["status"] = "succeeded"): Run {
  const run = startTask(database, taskId);
  database.writeNow((tx) => finishRun(tx, run, { outcome: content, next: step(status) }));
  return run;
}
