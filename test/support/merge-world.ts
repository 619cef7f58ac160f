import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { homePaths } from "../../src/base/paths.ts";
import { driversOf } from "../../src/agents/registry.ts";
import { Config, type ProjectConfig } from "../../src/contract/config.ts";
import type { Project } from "../../src/contract/project.ts";
import type { CheckComparison, CheckResult } from "../../src/contract/proof.ts";
import type { RunOutcome } from "../../src/contract/run.ts";
import type { Task } from "../../src/contract/task.ts";
import { commandDriver } from "../../src/agents/command.ts";
import { BaseWatch } from "../../src/engine/merging/base-watch.ts";
import { CommitChecker } from "../../src/engine/merging/commit-checker.ts";
import type { CommandRequest, EngineParts } from "../../src/engine/parts.ts";
import { createVerifier } from "../../src/engine/verification.ts";
import { GithubForge } from "../../src/forge/github/github-forge.ts";
import { LocalForge } from "../../src/forge/local/local-forge.ts";
import { processIsolation } from "../../src/isolation/process.ts";
import { runCommand } from "../../src/process/command.ts";
import { Publisher } from "../../src/publish/publisher.ts";
import { listAlerts } from "../../src/store/alerts.ts";
import { findBranch, keepBranch } from "../../src/store/branches.ts";
import type { Database } from "../../src/store/database.ts";
import { lastSequence } from "../../src/store/events.ts";
import { findTask, getTask, setBranch } from "../../src/store/tasks.ts";
import { finishRun } from "../../src/store/transitions.ts";
import type { Branches } from "../../src/workspace/branches.ts";
import { createWorkspaces } from "../../src/workspace/git-workspaces.ts";
import { gitEnv } from "./git-http.ts";
import type { DoubleRepository } from "./github-repository.ts";
import { GithubDouble } from "./github-double.ts";
import { git, makeRepository, writeFiles } from "./repository.ts";
import { addProject, addTask, scratchDatabase, startTask, step, type ScratchDatabase } from "./scratch-database.ts";
import { sampleConfig } from "./samples.ts";

const { signal } = new AbortController();
const TOKEN = "ghp_one";

export interface MergeWorldOptions {
  readonly forge: "local" | "github";
  /** What is on `main` at first. */
  readonly files?: Readonly<Record<string, string>>;
  readonly defaults?: Partial<ProjectConfig["defaults"]>;
  /** `checkout`: the person's own repository is the remote. Default: a bare one. */
  readonly remote?: "checkout";
  /** The command of the one check; null: there is none. Default: `sh check.sh`, where there is one. */
  readonly check?: string | null;
}

/**
 * Finished branches with the part that looks after them: a real database, real git, the real publisher and one of the forges.
 * What an agent would do, a test does; checks are plain processes.
 */
export class MergeWorld implements AsyncDisposable {
  readonly scratch: ScratchDatabase;
  readonly project: Project;
  readonly config: ProjectConfig;
  /** The person's clone, on `main`. */
  readonly checkout: string;
  /** The remote, as a path. */
  readonly remote: string;
  readonly github: GithubDouble | undefined;
  readonly repository: DoubleRepository | undefined;
  readonly parts: EngineParts;
  readonly publisher: Publisher;
  /** Commits that a check was run on, in order. */
  readonly checked: string[] = [];
  watch: BaseWatch;
  readonly #home: string;
  #clones = 0;
  #diesAfterMerge = false;
  #isDead = false;

  private constructor(
    home: string,
    github: GithubDouble | undefined,
    repository: DoubleRepository | undefined,
    options: MergeWorldOptions,
  ) {
    this.#home = home;
    this.github = github;
    this.repository = repository;
    this.scratch = scratchDatabase();
    const { check = "[ ! -e check.sh ] || sh check.sh" } = options;
    this.config = sampleConfig({
      defaults: { agent: "none", ...options.defaults },
      github: { apiUrl: github?.url ?? "http://127.0.0.1:1" },
      checks: check === null ? [] : [{ name: "test", command: check, timeoutMs: 60_000 }],
    });
    this.checkout = join(home, "person");
    if (repository === undefined) {
      this.remote = makeRepository(this.checkout, {
        remote: options.remote !== "checkout",
        ...(options.files && { files: options.files }),
      }).remote;
    } else {
      this.remote = repository.path;
      mkdirSync(this.checkout);
      git(this.checkout, "clone", "--quiet", repository.path, ".");
    }
    const remote = repository === undefined ? this.remote : (github?.remote("acme/api") ?? "");
    const place = { name: "api", path: this.checkout, forge: options.forge, repository: repository?.fullName ?? null, remote } as const;
    this.project = addProject(this.scratch.database, place);
    this.parts = this.#parts();
    this.publisher = new Publisher(this.parts);
    this.watch = this.newWatch();
  }

  static async open(options: MergeWorldOptions): Promise<MergeWorld> {
    const github = options.forge === "github" ? await GithubDouble.start() : undefined;
    const repository = await github?.createRepository("acme/api", {
      tokens: { [TOKEN]: "owner" },
      ...(options.files && { files: { ...options.files } }),
    });
    return new MergeWorld(mkdtempSync(join(tmpdir(), "drover-merge-")), github, repository, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.watch.stop();
    await this.publisher.stop();
    this.scratch[Symbol.dispose]();
    await this.github?.[Symbol.asyncDispose]();
    rmSync(this.#home, { recursive: true, force: true });
  }

  /** Looks, and dies as soon as something is merged: nothing more is noted. Then the next one takes over. */
  async dieAfterMerge(): Promise<void> {
    this.#diesAfterMerge = true;
    await this.watch.runOnce();
    this.#diesAfterMerge = this.#isDead = false;
    this.watch = this.newWatch();
  }

  newWatch(): BaseWatch {
    return new BaseWatch(this.parts, new CommitChecker(this.parts, createVerifier(this.parts)));
  }

  /** A task that is done: its work is one commit for each of these, pushed and opened as a pull request. */
  async finish(title: string, ...commits: readonly Readonly<Record<string, string>>[]): Promise<Task> {
    const { database } = this.scratch;
    const { id, number } = addTask(database, this.project.id, { title });
    database.writeNow((tx) => setBranch(tx, id, `drover/${number}-work`));
    const { baseCommit, headCommit } = await this.#work(getTask(database.reader, id), commits);
    const run = startTask(database, id);
    const checks: CheckComparison[] = [];
    const outcome: RunOutcome = { status: "succeeded", proof: { baseCommit, headCommit, changes: [], checks }, report: `Did ${title}.` };
    const branch = `drover/${number}-work`;
    database.writeNow((tx) => {
      const push = { kind: "push", branch, commit: headCommit } as const;
      const pull = { kind: "pull_request", branch, base: "main", title, body: "Proof." } as const;
      finishRun(tx, run, { outcome, next: step("succeeded", { effects: [push, pull] }) });
      keepBranch(tx, getTask(tx, id), { baseCommit, headCommit, isQueued: this.config.defaults.autoMerge });
    });
    await this.publisher.runOnce();
    return getTask(database.reader, id);
  }

  /** Somebody pushes to the base. */
  push(files: Readonly<Record<string, string>>): string {
    return this.pushTo("main", files);
  }

  /** Somebody pushes to a branch. */
  pushTo(branch: string, files: Readonly<Record<string, string>>): string {
    const other = this.#clone(branch);
    writeFiles(other, files);
    git(other, "add", "--all");
    git(other, "commit", "--quiet", "--message=By somebody");
    git(other, "push", "--quiet", "origin", `HEAD:${branch}`);
    return git(other, "rev-parse", "HEAD");
  }

  /** Somebody merges a branch without asking anybody. */
  mergeByHand(branch: string): void {
    const other = this.#clone("main");
    git(other, "merge", "--quiet", "--no-ff", "--no-edit", `origin/${branch}`);
    git(other, "push", "--quiet", "origin", "HEAD:main");
  }

  async withoutRemote(work: () => Promise<void>): Promise<void> {
    renameSync(this.remote, `${this.remote}.away`);
    await work();
    renameSync(`${this.remote}.away`, this.remote);
  }

  /** Looks at the base, and publishes what comes of that. */
  async look(): Promise<void> {
    await this.watch.runOnce();
    await this.publisher.runOnce();
  }

  task(key: string): Task {
    const task = findTask(this.scratch.database.reader, key);
    if (!task) throw new Error(`There is no task ${key}.`);
    return task;
  }

  branch(key: string) {
    return findBranch(this.scratch.database.reader, this.task(key).id);
  }

  alerts(): { kind: string; subject: string; message: string }[] {
    return listAlerts(this.scratch.database.reader, { open: true, limit: 100 }).map(({ kind, subject, message }) => ({
      kind,
      subject,
      message,
    }));
  }

  /** At the remote. */
  git(...args: readonly string[]): string {
    return git(this.remote, ...args);
  }

  files(branch: string): string[] {
    return this.git("ls-tree", "-r", "--name-only", branch).split("\n");
  }

  lastEvent(): number {
    return lastSequence(this.scratch.database.reader);
  }

  /** What a pull request says. */
  async pullText(task: number): Promise<string> {
    const { number = 0 } = this.task(`api#${task}`).pullRequest ?? {};
    return this.repository?.issue(number).body ?? git(this.checkout, "show", `refs/drover/pulls/${number}:pull.md`);
  }

  /** The workspace that the task's next run would have, and what its agent could do there. */
  async openWorkspace(key: string) {
    const { workspaces } = this.parts;
    const task = this.task(key);
    const base = await workspaces.fetchBase(this.project, this.#credentials(), signal);
    const workspace = await workspaces.open(this.project, task, base, signal);
    const { directory } = workspace;
    return {
      ...workspace,
      read: (path: string) => readFileSync(join(directory, path), "utf8"),
      write: (files: Readonly<Record<string, string>>) => writeFiles(directory, files),
      git: (...args: readonly string[]) => git(directory, ...args),
      collect: () => workspaces.collect(this.project, task, workspace.baseCommit, "Work"),
    };
  }

  #clone(branch: string): string {
    const path = join(this.#home, `clone-${(this.#clones += 1)}`);
    git(this.#home, "clone", "--quiet", "--branch", branch, this.remote, path);
    return path;
  }

  async #work(task: Task, commits: readonly Readonly<Record<string, string>>[]): Promise<{ baseCommit: string; headCommit: string }> {
    const { workspaces } = this.parts;
    const baseCommit = await workspaces.fetchBase(this.project, this.#credentials(), signal);
    const { directory } = await workspaces.open(this.project, task, baseCommit, signal);
    for (const [index, files] of commits.entries()) {
      writeFiles(directory, files);
      git(directory, "add", "--all");
      git(directory, "commit", "--quiet", `--message=${task.title} ${index + 1}`);
    }
    const { headCommit } = await workspaces.collect(this.project, task, baseCommit, "Work");
    await workspaces.remove(this.project, task, this.scratch.clock.now());
    return { baseCommit, headCommit };
  }

  #credentials() {
    return { token: this.github === undefined ? null : TOKEN };
  }

  #parts(): EngineParts {
    const { clock } = this.scratch;
    const paths = homePaths(join(this.#home, "home"));
    const workspaces = createWorkspaces({ paths, env: { ...gitEnv, HOME: this.#home }, clock: systemClock, log: silentLog });
    const { branches } = workspaces;
    const github = new GithubForge({ clock: systemClock, redact: (text) => text, tokens: () => TOKEN });
    const mergePull = github.mergePull.bind(github);
    github.mergePull = async (...call) => this.#diesAfter(await mergePull(...call));
    const config = Config.parse({ agents: { none: { driver: "command", command: ["true"] } } });
    return {
      clock,
      random: () => 0,
      log: silentLog,
      paths,
      database: this.#mortalDatabase(),
      workspaces,
      branches: {
        ...branches,
        advance: async (...call: Parameters<Branches["advance"]>) => this.#diesAfter(await branches.advance(...call)),
      },
      drivers: driversOf([commandDriver]),
      isolations: new Map([[processIsolation.name, processIsolation]]),
      forges: {
        github,
        local: new LocalForge({ clock: systemClock, redact: (text) => text, env: gitEnv }),
      },
      copyFiles: async () => {},
      runCheck: (request: CommandRequest) => this.#runCheck(request),
      settings: { current: () => config, forProject: () => this.config, isKnown: () => true, environment: () => gitEnv },
      // What finished branches have nothing to do with is not there.
    } as unknown as EngineParts;
  }

  #diesAfter<Result>(result: Result): Result {
    this.#isDead ||= this.#diesAfterMerge;
    return result;
  }

  #mortalDatabase(): Database {
    const { database } = this.scratch;
    const write: Database["write"] = (work) => (this.#isDead ? Promise.reject(new Error("The daemon is dead.")) : database.write(work));
    return Object.assign(Object.create(database) as Database, { write, reader: database.reader });
  }

  async #runCheck({ check, directory }: CommandRequest): Promise<CheckResult> {
    this.checked.push(git(directory, "rev-parse", "HEAD"));
    const options = { cwd: directory, env: gitEnv, timeoutMs: 60_000, maxOutputBytes: 65_536, clock: systemClock, signal };
    const { exitCode, stdout } = await runCommand(["sh", "-c", check.command], options);
    return { exitCode, durationMs: 1, failures: [], outputTail: stdout.trim() };
  }
}
