import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { homePaths } from "../../src/base/paths.ts";
import type { Project } from "../../src/contract/project.ts";
import { noUsage } from "../../src/contract/proof.ts";
import type { Task } from "../../src/contract/task.ts";
import { branchName } from "../../src/domain/branch-name.ts";
import { createWorkspaces } from "../../src/workspace/git-workspaces.ts";
import { makeRepository, temporaryFolder, type RepositoryOptions, type TestRepository } from "../support/repository.ts";

export const noToken = { token: null };
export const never = new AbortController().signal;

export const gitEnv = { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "" };

export interface Setting extends Disposable {
  readonly folder: string;
  readonly home: string;
  readonly source: TestRepository;
  readonly project: Project;
  readonly workspaces: ReturnType<typeof createWorkspaces>;
  /** Another daemon on the same home. */
  restarted(env?: Record<string, string>): ReturnType<typeof createWorkspaces>;
  task(number: number, title?: string): Task;
  /** The daemon's own repository of the project. */
  readonly bare: string;
}

/** A project with a real repository, and workspaces in a home of its own. */
export function makeSetting(options: RepositoryOptions = { remote: true }): Setting {
  const folder = temporaryFolder();
  const home = join(folder.path, "home");
  const source = makeRepository(join(folder.path, "person", "sample"), options);
  const project = makeProject(source);
  const restarted = (env: Record<string, string> = {}) =>
    createWorkspaces({ paths: homePaths(home), env: { ...gitEnv, ...env }, clock: systemClock, log: silentLog });
  return {
    folder: folder.path,
    home,
    source,
    project,
    workspaces: restarted(),
    restarted,
    task: (number, title = "Fix it") => makeTask(project, number, title),
    bare: join(home, "repositories", `${project.id}.git`),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

export function makeProject(source: TestRepository, name = "sample"): Project {
  return {
    id: newId("project"),
    name,
    path: source.path,
    forge: "local",
    repository: null,
    remote: source.remote,
    baseBranch: source.branch,
    priority: 50,
    weight: 1,
    enabled: true,
    registeredAt: 0,
    polledAt: null,
    lastError: null,
  };
}

export function makeTask(project: Project, number: number, title: string): Task {
  return {
    id: newId("task"),
    projectId: project.id,
    project: project.name,
    number,
    key: `${project.name}#${number}`,
    title,
    body: "",
    contentHash: "",
    source: { kind: "local", key: `issue:${number}`, issue: number, url: null, actor: null },
    workflow: "issue",
    workflowVersion: 1,
    parameters: {},
    delivery: "pull_request",
    status: "running",
    reason: null,
    message: null,
    needs: [],
    stage: "solve",
    priority: 50,
    deadlineAt: null,
    runAfter: 0,
    attempt: 1,
    iteration: 1,
    attemptMax: 3,
    epoch: 1,
    dependsOn: [],
    parentId: null,
    branch: branchName("drover/", number, title),
    pullRequest: null,
    usage: noUsage,
    createdAt: 0,
    updatedAt: 0,
    startedAt: 0,
    finishedAt: null,
  };
}
