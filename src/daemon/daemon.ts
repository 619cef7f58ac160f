import { fileURLToPath } from "node:url";
import { createApi, type Api } from "../api/server.ts";
import { Feed } from "../api/feed.ts";
import { createDrivers } from "../agents/registry.ts";
import { systemClock, type Clock } from "../base/clock.ts";
import type { AppError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { homePaths, type HomePaths } from "../base/paths.ts";
import { systemRandom } from "../base/random.ts";
import { runToken } from "../base/run-token.ts";
import { createRedactor } from "../base/redact.ts";
import { Broker } from "../broker/broker.ts";
import { Teller } from "../channels/teller.ts";
import type { StopMode } from "../contract/routes.ts";
import { createControl } from "../engine/control/control.ts";
import { Engine } from "../engine/engine.ts";
import type { EngineParts } from "../engine/parts.ts";
import { WorkflowLibrary } from "../engine/workflow-library.ts";
import { GithubForge } from "../forge/github/github-forge.ts";
import { LocalForge } from "../forge/local/local-forge.ts";
import { Intake } from "../intake/intake.ts";
import type { Isolation } from "../isolation/isolation.ts";
import { createIsolations } from "../isolation/registry.ts";
import { createTraces } from "../process/traces.ts";
import { createProcessHost } from "../process/real-host.ts";
import { scopeId } from "../process/scope.ts";
import { createSystemTable } from "../process/system-table.ts";
import { Publisher } from "../publish/publisher.ts";
import { Database } from "../store/database.ts";
import { eventsAfter, lastSequence } from "../store/events.ts";
import { findRun } from "../store/runs.ts";
import { createPromptRenderer } from "../workflow/prompt.ts";
import { runCheck } from "../workspace/checks.ts";
import { createWorkspaces } from "../workspace/git-workspaces.ts";
import { createEdits } from "./edits.ts";
import { makeFolders } from "./home-folders.ts";
import { InstanceLock } from "./instance-lock.ts";
import { readKnowledge } from "./knowledge.ts";
import { Life } from "./life.ts";
import { createLogFiles } from "./log-files.ts";
import { LiveSettings } from "./settings.ts";
import { readOrMakeToken } from "./token.ts";
import { version } from "./version.ts";
import { workflowFiles, WorkflowWatch } from "./workflow-watch.ts";

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
  const table = createSystemTable(clock);
  const host = createProcessHost({
    clock,
    log,
    table,
    scope: paths.home,
    path: options.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
    outputMaxBytes: settings.current().logging.runOutputMaxMB * 1024 * 1024,
  });
  const tokenOfRun = (run: Parameters<EngineParts["runToken"]>[0]) => runToken(token, run);
  const own = engineParts({ clock, log, paths, database, host, settings, redact, runToken: tokenOfRun, apiUrl: () => life.url });
  const parts = overrides.decorate?.(own) ?? own;
  const engine = new Engine(parts);
  const intake = new Intake({ ...parts, lookAtBase: (project) => engine.baseWatch.look(project.id) });
  const teller = new Teller({ ...parts, settings, desktopEnvironment: () => settings.desktopEnvironment() });
  const life = new Life({
    parts,
    engine,
    intake,
    publisher: new Publisher(parts),
    teller,
    workflowWatch: new WorkflowWatch(parts),
    host,
    table,
    logFiles,
    lock,
    settings,
  });
  const api = openApi(parts, { env: options.env, engine, intake, teller, life, startedAt, token, log: logFiles.open("api") });
  const { host: address, port } = settings.current().daemon;
  await life.start(api, { address, port });
  return { url: life.url, token, stopped: life.stopped, stop: (mode) => life.stop(mode) };
}

type Given = "clock" | "log" | "paths" | "database" | "host" | "redact" | "runToken" | "apiUrl";
type GivenParts = Pick<EngineParts, Given> & { readonly settings: LiveSettings };

/** The real thing behind every seam of the engine. */
function engineParts(given: GivenParts): EngineParts {
  const { clock, log, paths, host, settings, redact } = given;
  const workspaces = createWorkspaces({ paths, clock, log, env: settings.gitEnvironment() });
  return {
    ...given,
    random: systemRandom,
    workspaces,
    branches: workspaces.branches,
    traces: createTraces(clock, log),
    drivers: createDrivers(clock, paths.home, () => settings.current()),
    isolations: isolationsFor(paths, clock, settings),
    forges: {
      github: new GithubForge({ clock, redact, tokens: (variable) => settings.secret(variable) }),
      local: new LocalForge({ clock, redact, env: settings.gitEnvironment() }),
    },
    workflows: new WorkflowLibrary(given, workflowFiles(paths)),
    renderPrompt: createPromptRenderer(),
    copyFiles: (project, files, directory) => workspaces.copyFiles(project, files, directory),
    readKnowledge,
    runCheck: (request, signal) => runCheck({ ...request, host, clock, redact, signal }),
  };
}

function isolationsFor({ home }: HomePaths, clock: Clock, settings: LiveSettings): ReadonlyMap<string, Isolation> {
  const dockerHost = /^unix:\/\/(.+)$/u.exec(settings.secret("DOCKER_HOST") ?? "")?.[1];
  return createIsolations({
    clock,
    home,
    scope: scopeId(home),
    path: settings.gitEnvironment()["PATH"] ?? "",
    dockerSocket: settings.current().docker.socket ?? dockerHost ?? null,
  });
}

interface ApiSurroundings {
  readonly env: DaemonOptions["env"];
  readonly engine: Engine;
  readonly intake: Intake;
  readonly teller: Teller;
  readonly life: Life;
  readonly startedAt: number;
  readonly token: string;
  readonly log: Log;
}

function openApi(parts: EngineParts, { env, engine, intake, teller, life, startedAt, token, log }: ApiSurroundings): Api {
  const { clock, database, settings } = parts;
  const broker = new Broker(parts);
  const control = createControl({
    ...parts,
    engine,
    channels: teller,
    edits: createEdits(parts.paths, env),
    pollProject: (project, signal) => intake.pollProject(project, signal),
    askBroker: (run, call, signal) => broker.ask(run, call, signal),
    receiveWebhook: (project, request) => intake.receiveWebhook(project, request),
    daemon: {
      version,
      startedAt,
      url: () => life.url,
      status: () => life.status,
      problems: () => life.problems(),
      stop: (mode) => void life.stop(mode),
    },
  });
  const source = {
    lastSequence: () => lastSequence(database.reader),
    eventsAfter: (sequence: number, filter: Parameters<typeof eventsAfter>[2]) => eventsAfter(database.reader, sequence, filter),
    onCommit: (listener: () => void) => database.onCommit(listener),
    onHeartbeat: (listener: Parameters<Engine["pool"]["listen"]>[0]) => engine.pool.listen(listener),
  };
  const { allowRemote, allowedOrigins } = settings.current().daemon;
  return createApi({
    control,
    feed: new Feed({ source, clock, log }),
    log,
    clock,
    version,
    token,
    dashboard: fileURLToPath(new URL("../../dist/dashboard", import.meta.url)),
    runToken: (id) => {
      const run = findRun(database.reader, id);
      return run && parts.runToken(run);
    },
    security: { allowRemote, allowedOrigins },
  });
}
