import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { homePaths } from "../../src/base/paths.ts";
import { Config } from "../../src/contract/config.ts";
import type { GateEvidence, GateKind } from "../../src/contract/gate.ts";
import type { Project } from "../../src/contract/project.ts";
import type { Task } from "../../src/contract/task.ts";
import { TestSetup } from "../../src/contract/test-setup.ts";
import { detectProject } from "../../src/detect/detect-project.ts";
import type { CommandRequest, EngineParts } from "../../src/engine/parts.ts";
import { Gate } from "../../src/engine/tdd/gate.ts";
import { createVerifier } from "../../src/engine/verification.ts";
import { processIsolation } from "../../src/isolation/process.ts";
import type { GatedRun } from "../../src/store/runs.ts";
import { runCheck } from "../../src/workspace/checks.ts";
import { createWorkspaces } from "../../src/workspace/git-workspaces.ts";
import { gitEnv } from "./git-http.ts";
import { openRealHost, type RealHostFixture } from "./host-fixture.ts";
import { makeRepository, writeFiles } from "./repository.ts";
import { addProject, addTask, scratchDatabase, type ScratchDatabase } from "./scratch-database.ts";
import { sampleConfig } from "./samples.ts";

const { signal } = new AbortController();

/** Path to new content; null: the file is removed. */
export type Edit = Readonly<Record<string, string | null>>;

export interface GateWorldOptions {
  /** What is on the base. */
  readonly files: Readonly<Record<string, string>>;
  /** What to have otherwise than as detected. */
  readonly tests?: Partial<TestSetup>;
}

/** The gate over real git, real processes and the test runners of this machine. What an agent would do, a test does. */
export class GateWorld implements AsyncDisposable {
  readonly project: Project;
  readonly config;
  readonly parts: EngineParts;
  readonly gate: Gate;
  /** The commands that were run, in order. */
  readonly commands: string[] = [];
  readonly #folder: string;
  readonly #host: RealHostFixture;
  readonly #scratch: ScratchDatabase;

  private constructor(host: RealHostFixture, { files, tests }: GateWorldOptions) {
    this.#host = host;
    this.#folder = mkdtempSync(join(host.folder, "gate-"));
    this.#scratch = scratchDatabase();
    const { remote, path } = makeRepository(join(this.#folder, "person"), { remote: true, files });
    this.project = addProject(this.#scratch.database, { name: "api", path, remote });
    const detected = detectProject({ paths: Object.keys(files), textOf: (name) => files[name] ?? "" }).parts[0]?.tests;
    this.config = sampleConfig({ project: { tests: TestSetup.parse({ ...detected, ...tests }) } });
    this.parts = this.#parts();
    this.gate = new Gate(this.parts, createVerifier(this.parts));
  }

  static async open(options: GateWorldOptions): Promise<GateWorld> {
    return new GateWorld(await openRealHost(), options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#scratch[Symbol.dispose]();
    rmSync(this.#folder, { recursive: true, force: true });
    await this.#host[Symbol.asyncDispose]();
  }

  /** A task in a workspace of its own, and what gates accepted of it so far. */
  async begin(body: string): Promise<Cycle> {
    const { database } = this.#scratch;
    const { id, number } = addTask(database, this.project.id, { title: "Do it", body });
    const task = { ...addedTask(id, number, body), project: this.project.name } as Task;
    const base = await this.parts.workspaces.fetchBase(this.project, { token: null }, signal);
    const { directory } = await this.parts.workspaces.open(this.project, task, base, signal);
    return new Cycle(this, task, directory, base);
  }

  #parts(): EngineParts {
    const workspaces = createWorkspaces({
      paths: homePaths(join(this.#folder, "home")),
      env: { ...gitEnv, HOME: this.#folder },
      clock: systemClock,
      log: silentLog,
    });
    return {
      clock: systemClock,
      random: () => 0,
      log: silentLog,
      paths: homePaths(join(this.#folder, "home")),
      database: this.#scratch.database,
      workspaces,
      branches: workspaces.branches,
      redact: (text: string) => text,
      copyFiles: async () => {},
      runCheck: (request: CommandRequest) => {
        this.commands.push(request.check.command);
        return runCheck({ ...request, host: this.#host.host, clock: systemClock, signal });
      },
      settings: { current: () => Config.parse({}), forProject: () => this.config, environment: () => ENVIRONMENT },
      // What a gate has nothing to do with is not there.
    } as unknown as EngineParts;
  }
}

/** The tests of the fixtures run on the Node.js that runs us. */
const ENVIRONMENT = {
  PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
  HOME: process.env["HOME"] ?? "/",
  PYTHONDONTWRITEBYTECODE: "1",
};

function addedTask(id: Task["id"], number: number, body: string): Partial<Task> {
  return { id, number, key: `api#${number}`, title: "Do it", body, parameters: {}, branch: `drover/${number}-do-it` };
}

export class Cycle {
  readonly directory: string;
  readonly accepted: GatedRun[] = [];
  readonly #world: GateWorld;
  readonly #task: Task;
  readonly #base: string;

  constructor(world: GateWorld, task: Task, directory: string, base: string) {
    this.#world = world;
    this.#task = task;
    this.directory = directory;
    this.#base = base;
  }

  /** Carries out a stage: changes files as its agent would, and asks the gate. The next begins from what it accepts; what it refuses is taken back. */
  async stage(gate: GateKind, edit: Edit = {}): Promise<GateEvidence> {
    const before = this.#write(edit);
    const evidence = await this.#judge(gate);
    if (!evidence.accepted) this.#write(before);
    return evidence;
  }

  /** What was there before. */
  #write(edit: Edit): Edit {
    const before: Record<string, string | null> = {};
    for (const [path, content] of Object.entries(edit)) {
      const file = join(this.directory, path);
      before[path] = existsSync(file) ? readFileSync(file, "utf8") : null;
      if (content === null) rmSync(file);
      else writeFiles(this.directory, { [path]: content });
    }
    return before;
  }

  async #judge(gate: GateKind): Promise<GateEvidence> {
    const { parts, project, config } = this.#world;
    const { headCommit } = await parts.workspaces.collect(project, this.#task, this.#base, "Work");
    const id = newId("run");
    const directory = join(parts.paths.runs, id);
    const run = { id, agent: "none" };
    const job = { run, task: this.#task, project, config, isolation: processIsolation, agent: { driver: "command" }, directory };
    const evidence = await this.#world.gate.judge(job, { gate, baseCommit: this.#base, headCommit, accepted: this.accepted }, signal);
    if (evidence.accepted) this.accepted.push({ runId: id, stage: gate, baseCommit: this.#base, headCommit, gate: evidence });
    return evidence;
  }
}

/** What a gate refuses, each with its rule and place. */
export function refusals({ findings }: GateEvidence): string[] {
  return findings.map(({ rule, file, line }) => [rule, ...(file === null ? [] : [line === null ? file : `${file}:${line}`])].join(" "));
}
