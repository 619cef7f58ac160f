import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { homePaths } from "../../src/base/paths.ts";
import type { ProjectConfig } from "../../src/contract/config.ts";
import type { Effect, EffectPayload } from "../../src/contract/effect.ts";
import type { Project } from "../../src/contract/project.ts";
import type { Task } from "../../src/contract/task.ts";
import { GithubForge } from "../../src/forge/github/github-forge.ts";
import { LocalForge } from "../../src/forge/local/local-forge.ts";
import { Publisher } from "../../src/publish/publisher.ts";
import type { Database } from "../../src/store/database.ts";
import { listEffects } from "../../src/store/effects.ts";
import { getTask, setBranch } from "../../src/store/tasks.ts";
import { finishRun } from "../../src/store/transitions.ts";
import { createWorkspaces } from "../../src/workspace/git-workspaces.ts";
import { gitEnv } from "./git-http.ts";
import { GithubDouble } from "./github-double.ts";
import type { DoubleRepository } from "./github-repository.ts";
import { addProject, addTask, content, scratchDatabase, startTask, step, type ScratchDatabase } from "./scratch-database.ts";
import { sampleConfig } from "./samples.ts";

const { signal } = new AbortController();

/** The real publisher on a real database, with real git and GitHub's double, and one project in it: `api`, of `acme/api`. */
export class PublishWorld implements AsyncDisposable {
  readonly github: GithubDouble;
  readonly api: DoubleRepository;
  readonly scratch: ScratchDatabase;
  readonly project: Project;
  readonly tokens: Record<string, string> = { GITHUB_TOKEN: "ghp_one", OTHER_TOKEN: "ghp_two" };
  /** The settings of each project, by its name; one without has a file with an error. */
  readonly configs = new Map<string, ProjectConfig>();
  readonly workspaces: ReturnType<typeof createWorkspaces>;
  publisher: Publisher;
  readonly #home = mkdtempSync(join(tmpdir(), "drover-publish-"));

  private constructor(github: GithubDouble, api: DoubleRepository) {
    this.github = github;
    this.api = api;
    this.scratch = scratchDatabase();
    this.workspaces = createWorkspaces({
      paths: homePaths(this.#home),
      env: { ...gitEnv, HOME: this.#home },
      clock: systemClock,
      log: silentLog,
    });
    this.project = this.addGithubProject("api", "acme/api");
    this.publisher = this.newPublisher();
  }

  static async open(): Promise<PublishWorld> {
    const github = await GithubDouble.start();
    return new PublishWorld(github, await github.createRepository("acme/api", { tokens: { ghp_one: "owner" } }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.publisher.stop();
    this.scratch[Symbol.dispose]();
    await this.github[Symbol.asyncDispose]();
    rmSync(this.#home, { recursive: true, force: true });
  }

  addGithubProject(name: string, repository: string, github: Partial<ProjectConfig["github"]> = {}): Project {
    this.configs.set(name, sampleConfig({ github: { apiUrl: this.github.url, ...github } }));
    return addProject(this.scratch.database, {
      name,
      path: join(this.#home, name),
      forge: "github",
      repository,
      remote: this.github.remote(repository),
    });
  }

  newPublisher(database: Database = this.scratch.database): Publisher {
    const { clock } = this.scratch;
    const redact = (text: string) => text.replaceAll("hunter2", "[redacted]");
    return new Publisher({
      clock,
      random: () => 0,
      log: silentLog,
      database,
      workspaces: this.workspaces,
      forges: {
        github: new GithubForge({ clock, redact, tokens: (variable) => this.tokens[variable] }),
        local: new LocalForge({ clock, redact, env: gitEnv }),
      },
      settings: { forProject: ({ name }) => this.configs.get(name) ?? sampleConfig(), isKnown: ({ name }) => this.configs.has(name) },
    });
  }

  /** A task of an issue that was just done by changing `file`, with all that has to be published of it. */
  async finishTask({
    project = this.project,
    issue,
    file = "done.txt",
  }: {
    project?: Project;
    issue: number;
    file?: string;
  }): Promise<Task> {
    const { database } = this.scratch;
    const source = { kind: project.forge, key: `issue:${issue}`, issue, url: null, actor: "owner" };
    const { id } = addTask(database, project.id, { source });
    const branch = `drover/${issue}-done`;
    database.writeNow((tx) => setBranch(tx, id, branch));
    const commit = await this.work(project, getTask(database.reader, id), file);
    this.finishWith(id, [
      { kind: "push", branch, commit },
      { kind: "pull_request", branch, base: "main", title: `Issue ${issue}`, body: "Proof." },
      { kind: "comment", issue, body: "**Done** · task\n\nBranch.", linksPullRequest: true },
    ]);
    return getTask(database.reader, id);
  }

  /** A commit of ours for a task. */
  async work(project: Project, task: Task, file: string): Promise<string> {
    const { token = null } =
      project.forge === "github" ? { token: this.tokens[this.configs.get(project.name)?.github.tokenVariable ?? ""] ?? null } : {};
    const base = await this.workspaces.fetchBase(project, { token }, signal);
    const workspace = await this.workspaces.open(project, task, base, signal);
    writeFileSync(join(workspace.directory, file), `${task.key}\n`);
    return (await this.workspaces.collect(project, task, base, "Do it")).headCommit;
  }

  /** Claims the task and ends its run with these effects. */
  finishWith(taskId: Task["id"], effects: readonly EffectPayload[]): void {
    const run = startTask(this.scratch.database, taskId);
    this.scratch.database.writeNow((tx) => finishRun(tx, run, { outcome: content, next: step("succeeded", { effects: [...effects] }) }));
  }

  /** Kind, status and attempts of a task's effects, in their order. */
  effects(taskId: Task["id"]): [Effect["payload"]["kind"], Effect["status"], number][] {
    return listEffects(this.scratch.database.reader, taskId).map(({ payload, status, attempt }) => [payload.kind, status, attempt]);
  }

  comments(issue: number, repository = this.api): string[] {
    return repository.issue(issue).comments.map((comment) => comment.body);
  }
}
