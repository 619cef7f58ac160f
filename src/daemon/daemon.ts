import { mkdirSync } from "node:fs";
import { createApi, type Api } from "../api/server.ts";
import { Feed } from "../api/feed.ts";
import { createDrivers } from "../agents/registry.ts";
import { systemClock, type Clock } from "../base/clock.ts";
import { messageOf, type AppError } from "../base/errors.ts";
import { homePaths, type HomePaths } from "../base/paths.ts";
import { systemRandom } from "../base/random.ts";
import { createRedactor } from "../base/redact.ts";
import type { StopMode } from "../contract/routes.ts";
import { createControl } from "../engine/control/control.ts";
import { Engine } from "../engine/engine.ts";
import type { EngineParts } from "../engine/parts.ts";
import { GithubForge } from "../forge/github/github-forge.ts";
import { LocalForge } from "../forge/local/local-forge.ts";
import { createIntake, type Intake } from "../intake/intake.ts";
import { identifySelf } from "../process/identify.ts";
import { createProcessHost, type RealProcessHost } from "../process/real-host.ts";
import { Publisher } from "../publish/publisher.ts";
import { countOpenAlerts } from "../store/alerts.ts";
import { Database } from "../store/database.ts";
import { appendEvent, eventsAfter, lastSequence } from "../store/events.ts";
import { createPromptRenderer } from "../workflow/prompt.ts";
import { readWorkflows } from "../workflow/workflow.ts";
import { runCheck } from "../workspace/checks.ts";
import { createWorkspaces } from "../workspace/git-workspaces.ts";
import { copyFiles } from "../workspace/copy.ts";
import { InstanceLock } from "./instance-lock.ts";
import { readKnowledge } from "./knowledge.ts";
import { createLogFiles, type LogFiles } from "./log-files.ts";
import { RunJournal } from "./run-journal.ts";
import { LiveSettings } from "./settings.ts";
import { readOrMakeToken } from "./token.ts";
import { version } from "./version.ts";

export interface DaemonOptions {
  readonly home: string;
  /** The environment: settings, secrets, and what agents may see of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `daemon.port` and the like from the command line, over every other layer. */
  readonly flags?: Readonly<Record<string, unknown>>;
  /** Called when the storage failed so that the process must end and start anew. */
  readonly onFatal: (error: AppError) => void;
}

/** What a test may put in place of a part; whatever it leaves out is the real one. */
export interface Overrides {
  readonly clock?: Clock;
  readonly decorate?: (parts: EngineParts) => EngineParts;
}

export interface Daemon {
  readonly url: string;
  readonly token: string;
  /** Resolves when the daemon has stopped, by whomever. */
  readonly stopped: Promise<void>;
  /** Safe to call again with a harder mode. */
  stop(mode: StopMode): Promise<void>;
}

/**
 * Builds every part in order and starts them; the only place that wires. The API answers first (health: `starting`), then
 * comes what an earlier daemon left, then new work. Throws `conflict` when another daemon has the home.
 */
export async function createDaemon(options: DaemonOptions, overrides: Overrides = {}): Promise<Daemon> {
  const paths = homePaths(options.home);
  makeFolders(paths);
  const lock = InstanceLock.acquire(paths);
  try {
    return await startDaemon(options, overrides, paths, lock);
  } catch (thrown) {
    lock[Symbol.dispose]();
    throw thrown;
  }
}

async function startDaemon(options: DaemonOptions, overrides: Overrides, paths: HomePaths, lock: InstanceLock): Promise<Daemon> {
  const clock = overrides.clock ?? systemClock;
  const startedAt = clock.now();
  const token = readOrMakeToken(paths.auth);
  const settings = new LiveSettings(paths.config, options.env, options.flags ?? {});
  const redact = createRedactor(() => [token, ...settings.secrets()]);
  const logFiles = createLogFiles(paths.logs, settings.current().logging, redact);
  const log = logFiles.open("daemon");
  const database = Database.open({ path: paths.database, backups: paths.backups, clock, log, onFatal: options.onFatal });
  const host = createProcessHost({ clock, log, outputMaxBytes: settings.current().logging.runOutputMaxMB * 1024 * 1024 });

  const parts = (overrides.decorate ?? ((same) => same))({
    clock,
    random: systemRandom,
    log,
    paths,
    database,
    host,
    workspaces: createWorkspaces({ paths, clock, log, env: settings.environment([]) }),
    drivers: createDrivers(clock),
    forges: {
      github: new GithubForge({ clock, redact, tokens: (variable) => settings.secret(variable) }),
      local: new LocalForge({ clock, redact, env: settings.environment([]) }),
    },
    workflows: readWorkflows(),
    renderPrompt: createPromptRenderer(),
    copyFiles,
    readKnowledge,
    runCheck: (request, signal) => runCheck({ ...request, host, clock, signal }),
    settings,
    redact,
  } satisfies EngineParts);

  const engine = new Engine(parts);
  const forProject = { settings: (project: Parameters<LiveSettings["forProject"]>[0]) => settings.forProject(project) };
  const intake = createIntake({ ...parts, ...forProject });
  const publisher = new Publisher(parts);
  const life = new Life({ parts, engine, intake, publisher, host, logFiles, lock, settings });
  const control = createControl({
    ...parts,
    engine,
    pollProject: (project, signal) => intake.pollProject(project, signal),
    receiveWebhook: (project, request) => intake.receiveWebhook(project, request),
    daemon: { version, startedAt, url: () => life.url, status: () => life.status, problems: () => life.problems(), stop: (mode) => void life.stop(mode) },
  });
  const source = {
    lastSequence: () => lastSequence(database.reader),
    eventsAfter: (sequence: number, filter: Parameters<typeof eventsAfter>[2]) => eventsAfter(database.reader, sequence, filter),
    onCommit: (listener: () => void) => database.onCommit(listener),
  };
  const apiLog = logFiles.open("api");
  const { allowRemote, allowedOrigins, host: address, port } = settings.current().daemon;
  const api = createApi({ control, feed: new Feed({ source, clock, log: apiLog }), log: apiLog, clock, version, token, security: { allowRemote, allowedOrigins } });
  await life.start(api, { address, port });
  return { url: life.url, token, stopped: life.stopped, stop: (mode) => life.stop(mode) };
}

function makeFolders(paths: HomePaths): void {
  for (const folder of [paths.home, paths.logs, paths.runs, paths.repositories, paths.workspaces, paths.backups]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }
}

interface LifeParts {
  readonly parts: EngineParts;
  readonly engine: Engine;
  readonly intake: Intake;
  readonly publisher: Publisher;
  readonly host: RealProcessHost;
  readonly logFiles: LogFiles;
  readonly lock: InstanceLock;
  readonly settings: LiveSettings;
}

/** Starts the parts in order, and stops them in the reverse one. */
class Life {
  readonly #with: LifeParts;
  readonly #journal: RunJournal;
  readonly stopped: Promise<void>;
  #resolveStopped: () => void = () => {};
  #api: Api | undefined;
  #stopping: Promise<void> | undefined;
  url = "";
  status: "starting" | "ok" | "degraded" | "stopping" = "starting";

  constructor(life: LifeParts) {
    this.#with = life;
    this.#journal = new RunJournal(life.parts.database, life.logFiles, life.parts.log);
    this.stopped = new Promise((resolve) => (this.#resolveStopped = resolve));
  }

  async start(api: Api, { address, port }: { address: string; port: number }): Promise<void> {
    const { parts, engine, intake, publisher, lock, settings } = this.#with;
    this.#api = api;
    this.url = (await api.start(address, port)).url;
    const self = await identifySelf();
    lock.publish({ pid: self.pid, startTime: self.startTime, url: this.url, version });
    await parts.database.write((tx) => appendEvent(tx, { type: "daemon.started", data: { version, pid: self.pid } }));
    await settings.start({ clock: parts.clock, log: parts.log, database: parts.database, onChange: () => engine.dispatcher.reset() });
    await engine.start();
    publisher.start();
    intake.start();
    this.status = "ok";
    parts.log.info("daemon started", { url: this.url, version });
  }

  problems(): string[] {
    const { database } = this.#with.parts;
    const alerts = countOpenAlerts(database.reader);
    return [
      ...(database.isDiskFull ? ["The disk is full: nothing new is started until there is room."] : []),
      ...(alerts > 0 ? [`${alerts} open ${alerts === 1 ? "alert" : "alerts"}: drover alerts`] : []),
      ...(this.#with.settings.error(null) === null ? [] : ["The configuration file has an error; the last good one is in force: drover config validate"]),
    ];
  }

  /** The first call stops everything in order; a later one with a harder mode hurries the agents along. */
  stop(mode: StopMode): Promise<void> {
    if (this.#stopping) {
      if (mode !== "drain") void this.#with.engine.stop(mode);
      return this.#stopping;
    }
    this.#stopping = this.#stop(mode);
    return this.#stopping;
  }

  async #stop(mode: StopMode): Promise<void> {
    const { parts, engine, intake, publisher, host, logFiles, lock, settings } = this.#with;
    this.status = "stopping";
    parts.log.info("daemon stops", { mode });
    await this.#quietly("intake", () => intake.stop());
    await this.#quietly("engine", () => engine.stop(mode));
    await this.#quietly("publisher", () => publisher.stop());
    await this.#quietly("settings", () => settings.stop());
    await this.#quietly("last event", () => parts.database.write((tx) => void appendEvent(tx, { type: "daemon.stopped", data: { how: mode } })));
    await this.#quietly("api", () => this.#api?.stop());
    await this.#quietly("journal", () => this.#journal.stop());
    await this.#quietly("process host", () => host.close());
    parts.database.close();
    await logFiles.close();
    lock[Symbol.dispose]();
    this.#resolveStopped();
  }

  /** One part that can't stop well must not keep the others from stopping. */
  async #quietly(part: string, stop: () => Promise<unknown> | undefined): Promise<void> {
    try {
      await stop();
    } catch (thrown) {
      this.#with.parts.log.error("a part did not stop well", { part, error: messageOf(thrown) });
    }
  }
}
