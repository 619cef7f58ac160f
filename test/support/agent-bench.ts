import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { claudeDriver } from "../../src/agents/claude.ts";
import type { ToolServer } from "../../src/agents/tool-server.ts";
import type { Driver, LaunchRequest } from "../../src/agents/driver.ts";
import { systemClock } from "../../src/base/clock.ts";
import { AgentConfig, type ModelSettings } from "../../src/contract/config.ts";
import type { ModelScript } from "../../src/demo/model-script.ts";
import { AgentRun, openHost, type LocalHost } from "./agent-run.ts";
import { openTestModel, type TestModel } from "./model-server.ts";
import { openNetworkNamespace } from "./network-namespace.ts";

export type Lack = "questions" | "retries" | "reasons" | "cost" | "totals" | "statuses" | "reconnection";

/** An agent program behind its driver, to be run against a scripted model. It repeats a failed request to the model once. */
export interface DriverSubject {
  readonly driver: Driver;
  /** The models that its driver knows, for one that needs to. */
  readonly models?: () => ModelSettings;
  /**
   * What it has no words for: questions to a person; that it asks its model again; why a person said no; what a run cost.
   * `totals`: it tells what the last request used instead of all, and nothing of what a session had cost before.
   * `statuses`: of a request that failed it tells the provider's words and not the HTTP status, which the scripted model has none for.
   * `reconnection`: an answer that broke off it does not ask for again.
   */
  readonly lacks?: readonly Lack[];
  /** What it calls the tools that write a file and run a command; default: as Claude Code does. */
  readonly tools?: { readonly write: string; readonly run: string };
  /** How long it goes on asking a model whose answers break off is not for us to say, and too long for a test. */
  readonly isPatient?: true;
  open(model: TestModel): Promise<OpenSubject>;
}

interface OpenSubject extends AsyncDisposable {
  readonly agent: AgentConfig;
  readonly env: Readonly<Record<string, string>>;
}

export interface StartOptions {
  readonly prompt: string;
  readonly permissions?: AgentConfig["permissions"];
  readonly sessionId?: string | null;
  readonly args?: readonly string[];
  readonly budgetUsd?: number;
  /** The tools that the stage allows; default: all. */
  readonly tools?: readonly string[] | null;
  /** Whether its hooks report, to `config/hooks/spool.jsonl` of the bench's folder. */
  readonly reportsHooks?: boolean;
  /** Drover's own tools; default: it has none. */
  readonly toolServer?: ToolServer | null;
  /** Empty: the variable is left out. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A workspace, a scripted model and the real process host, to start agents with. All of it ends with the bench. */
export interface AgentBench extends AsyncDisposable {
  readonly folder: string;
  readonly workspace: string;
  /** HOME of the agents. */
  readonly home: string;
  readonly host: LocalHost;
  readonly model: TestModel;
  readonly driver: Driver;
  /** The models that its driver knows, for one that needs to. */
  readonly models?: () => ModelSettings;
  /** The runs of one bench share its workspace and its configuration folder, as those of a task do. */
  readonly start: (options: StartOptions) => Promise<AgentRun>;
  readonly request: (options: StartOptions) => LaunchRequest;
}

export async function createBench(subject: DriverSubject, script: ModelScript): Promise<AgentBench> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "agent-"));
  stack.defer(() => rm(folder, { recursive: true }));
  const [workspace, home] = [join(folder, "workspace"), join(folder, "home")];
  await mkdir(workspace);
  await mkdir(home);
  const model = stack.use(await openTestModel(script));
  const { agent, env: ownEnv } = stack.use(await subject.open(model));
  const host = openHost(folder);
  stack.defer(() => host.close());
  stack.defer(async () => void (await host.sweep(() => false)));
  const request = ({
    prompt,
    permissions = "edit",
    sessionId = null,
    args = [],
    env = {},
    reportsHooks = false,
    budgetUsd,
    tools = null,
    toolServer = null,
  }: StartOptions): LaunchRequest => ({
    agent: { ...agent, permissions, args: [...args] },
    prompt,
    workspace,
    configDirectory: join(folder, "config"),
    sessionId,
    hooks: reportsHooks ? { spool: join(folder, "config", "hooks", "spool.jsonl"), url: "", token: "" } : null,
    toolServer,
    budgetUsd,
    tools,
    sandbox: { allowedHosts: [], readable: [] },
    path: process.env["PATH"] ?? "",
    env: Object.fromEntries(Object.entries({ HOME: home, LANG: "C.UTF-8", ...ownEnv, ...env }).filter(([, value]) => value !== "")),
  });
  let runs = 0;
  const start = (options: StartOptions) =>
    AgentRun.start(host, subject.driver, request(options), { directory: join(folder, `run-${++runs}`), marker: `run-${runs}` });
  const { driver } = subject;
  const end = stack.move();
  return { folder, workspace, home, host, model, driver, start, request, [Symbol.asyncDispose]: () => end.disposeAsync() };
}

/** The real Claude Code, in a network namespace of its own whose only way out is the scripted model. */
export const realClaude: DriverSubject = {
  driver: claudeDriver(systemClock),
  async open({ socket }) {
    const namespace = await openNetworkNamespace(socket);
    return {
      agent: AgentConfig.parse({ driver: "claude", command: [...namespace.enter, CLAUDE] }),
      env: { ANTHROPIC_BASE_URL: namespace.url, ANTHROPIC_API_KEY: "test-key", CLAUDE_CODE_MAX_RETRIES: "1" },
      [Symbol.asyncDispose]: () => namespace[Symbol.asyncDispose](),
    };
  },
};

/** The pinned one, or another that is to be tried. */
export const CLAUDE = process.env["DROVER_TEST_CLAUDE"] ?? join(import.meta.dirname, "../../node_modules/.bin/claude");
