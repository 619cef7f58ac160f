import { AppError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import { Config, type ProjectConfig } from "../../src/contract/config.ts";
import type { Event } from "../../src/contract/event.ts";
import type { Project } from "../../src/contract/project.ts";
import type { Task } from "../../src/contract/task.ts";
import { GithubForge } from "../../src/forge/github/github-forge.ts";
import { LocalForge } from "../../src/forge/local/local-forge.ts";
import { Intake } from "../../src/intake/intake.ts";
import type { PollResult } from "../../src/intake/project-poll.ts";
import { eventsAfter } from "../../src/store/events.ts";
import { listTasks } from "../../src/store/tasks.ts";
import { gitEnv } from "./git-http.ts";
import { GithubDouble } from "./github-double.ts";
import type { DoubleRepository } from "./github-repository.ts";
import { addProject, scratchDatabase, type ScratchDatabase } from "./scratch-database.ts";
import { sampleConfig } from "./samples.ts";

const secrets: Record<string, string> = { GITHUB_TOKEN: "ghp_one", OTHER_TOKEN: "ghp_two", HOOK_SECRET: "a secret for webhooks" };

export const nothing: PollResult = { created: 0, ignored: 0, cancelled: 0 };

/** The real intake on a real database, with GitHub's double and one project in it: `api`, of `acme/api`, with the token `ghp_one`. */
export class IntakeWorld implements AsyncDisposable {
  readonly github: GithubDouble;
  readonly api: DoubleRepository;
  readonly scratch: ScratchDatabase;
  readonly project: Project;
  /** The settings of each project, by its name. */
  readonly configs = new Map<string, ProjectConfig>();
  /** The projects whose own file was never right. */
  /** Projects whose base was to be looked at, in order. */
  readonly looks: string[] = [];
  readonly broken = new Set<string>();
  config = Config.parse({});
  intake: Intake;

  private constructor(github: GithubDouble, api: DoubleRepository) {
    this.github = github;
    this.api = api;
    this.scratch = scratchDatabase();
    this.project = this.addGithubProject("api", "acme/api");
    this.intake = this.newIntake();
  }

  static async open(): Promise<IntakeWorld> {
    const github = await GithubDouble.start();
    return new IntakeWorld(github, await github.createRepository("acme/api", { tokens: { ghp_one: "owner" } }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.intake.stop();
    this.scratch[Symbol.dispose]();
    await this.github[Symbol.asyncDispose]();
  }

  addGithubProject(name: string, repository: string, change: Parameters<typeof sampleConfig>[0] = {}): Project {
    this.configs.set(name, sampleConfig({ ...change, github: { apiUrl: this.github.url, ...change.github } }));
    const remote = this.github.remote(repository);
    return addProject(this.scratch.database, { name, path: `/repositories/${name}`, forge: "github", repository, remote });
  }

  /** As the next process would have it. */
  newIntake(): Intake {
    const { clock, database } = this.scratch;
    const redact = (text: string) => text;
    return new Intake({
      clock,
      random: () => 0.5,
      log: silentLog,
      database,
      workflows: { firstStage: (_, workflow) => (workflow === "issue-plan" ? "plan" : "implement") },
      forges: {
        github: new GithubForge({ clock, redact, tokens: (variable) => secrets[variable] }),
        local: new LocalForge({ clock, redact, env: { PATH: gitEnv["PATH"] ?? "" } }),
      },
      settings: {
        current: () => this.config,
        forProject: ({ name }) => this.configs.get(name) ?? sampleConfig(),
        isKnown: ({ name }) => !this.broken.has(name),
        secret: (variable) => secrets[variable],
      },
      lookAtBase: ({ name }) => void this.looks.push(name),
    });
  }

  poll(project = this.project): Promise<PollResult> {
    return this.intake.pollProject(project, new AbortController().signal);
  }

  /** A labelled one by the owner, unless it is changed. */
  openIssue(change: Partial<Parameters<DoubleRepository["openIssue"]>[0]> = {}): number {
    return this.api.openIssue({ title: "One", body: "Do it.", labels: ["Claude"], ...change });
  }

  /** Oldest first. */
  tasks(project = this.project): Task[] {
    return listTasks(this.scratch.database.reader, { projectId: project.id, limit: 500 }).toReversed();
  }

  taskOf(key: string): Task {
    const task = this.tasks().find((one) => one.source.key === key);
    if (task === undefined) throw new Error(`there is no task of ${key}`);
    return task;
  }

  keysAndStatuses(): [string, string][] {
    return this.tasks().map((task) => [task.source.key, task.status]);
  }

  events(type?: Event["type"]): Event[] {
    const events = eventsAfter(this.scratch.database.reader, 0, { limit: 1000 });
    return type === undefined ? events : events.filter((event) => event.type === type);
  }
}

/** What a call failed with. */
export async function failureOf(work: Promise<unknown>): Promise<AppError> {
  const error = await work.catch((thrown: unknown) => thrown);
  if (error instanceof AppError) return error;
  throw new Error("it did not fail with an AppError", { cause: error });
}

/** Waits until something that happens by itself has come true. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}
