import { join } from "node:path";
import { driversOf } from "../../src/agents/registry.ts";
import { silentLog } from "../../src/base/log.ts";
import { homePaths } from "../../src/base/paths.ts";
import { Config, type ProjectConfig } from "../../src/contract/config.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { EngineParts, Settings } from "../../src/engine/parts.ts";
import { processIsolation } from "../../src/isolation/process.ts";
import { Intake } from "../../src/intake/intake.ts";
import { Publisher } from "../../src/publish/publisher.ts";
import { Database } from "../../src/store/database.ts";
import { createPromptRenderer } from "../../src/workflow/prompt.ts";
import { builtinWorkflows } from "../support/workflows.ts";
import { ACCOUNTS, scriptedDriver } from "./agents.ts";
import type { Incarnation } from "./incarnation.ts";
import { simulatedForge } from "./simulated-forge.ts";
import { simulatedHost } from "./simulated-host.ts";
import { simulatedCheck, simulatedWorkspaces, unmovedBranches } from "./simulated-workspaces.ts";
import type { World } from "./world.ts";

/** Failures of an agent in a row that open its circuit. */
export const FAILURES_MAX = 5;

/** Places in the pool that tasks of workflow `issue-db` need. */
export const DB_PLACES = 2;
/** Runs of workflow `issue` that may be open. */
export const issuesMax = ({ agentMax }: Pick<World, "agentMax">): number => Math.max(1, agentMax - 2);
/** How often runs of one project are started. */
export const START_RATE = { per: "minute", calls: 2, burst: 1 } as const;

const renderPrompt = createPromptRenderer();

/** The real engine, intake and publisher on a real database, in a simulated world: one life of the daemon. */
export interface Drover {
  readonly database: Database;
  start(): Promise<void>;
}

export function bootDrover(world: World, daemon: Incarnation, folder: string): Drover {
  const { clock } = daemon;
  const database = Database.open({
    path: join(folder, "drover.db"),
    backups: join(folder, "backups"),
    clock,
    log: silentLog,
    reserveBytes: 0,
  });
  const { workflows, inForce } = builtinWorkflows(database, join(import.meta.dirname, "workflows"));
  const forge = simulatedForge(world, daemon);
  const parts: EngineParts = {
    clock,
    random: () => world.dice.roll(),
    log: silentLog,
    paths: homePaths(folder),
    database,
    host: simulatedHost(world, daemon),
    traces: noTraces,
    runToken: ({ id, epoch }) => `${id} ${epoch}`,
    apiUrl: () => "http://127.0.0.1:3003",
    workspaces: simulatedWorkspaces(world, daemon),
    branches: unmovedBranches,
    drivers: driversOf([scriptedDriver]),
    isolations: new Map([[processIsolation.name, processIsolation]]),
    forges: { github: forge, local: forge },
    workflows,
    renderPrompt,
    copyFiles: async () => {},
    readKnowledge: async () => ({ instructions: "", skills: [] }),
    runCheck: simulatedCheck(world, daemon),
    settings: settingsFor(world),
    redact: (text) => text,
  };
  const engine = new Engine(parts);
  const intake = new Intake({ ...parts, lookAtBase: (project) => engine.baseWatch.look(project.id) });
  const publisher = new Publisher(parts);
  return {
    database,
    async start() {
      await inForce;
      await engine.start();
      publisher.start();
      intake.start();
    },
  };
}

/** Agents here tell what they do in their output alone. */
const noTraces: EngineParts["traces"] = {
  readSpool: async (_file, from) => ({ records: [], end: from, damaged: 0 }),
  async *watch() {},
  newestChange: async () => null,
};

function settingsFor(world: World): Settings {
  const config = Config.parse({
    daemon: { maxProcesses: world.agentMax, tickMs: 60_000, checkMs: 60_000 },
    pools: { db: DB_PLACES },
    workflows: { issue: { maxRunning: issuesMax(world) } },
    rates: { starts: START_RATE },
    intake: { workflows: { db: "issue-db" } },
    agents: { scripted: { driver: "scripted", account: ACCOUNTS[0] }, spare: { driver: "scripted", account: ACCOUNTS[1] } },
    builtin: { maxRunning: world.hostedMax },
    breakers: { workerFailures: FAILURES_MAX },
    defaults: { agent: "scripted", rate: "starts", maxProcesses: Math.ceil(world.agentMax / 2), pollingInterval: 120_000 },
    checks: [{ name: "test", command: "npm test" }],
  });
  // Projects differ in the agent that they want, and in the one that they go on with where that can't.
  const kinds: readonly ProjectConfig[] = [
    config,
    { ...config, defaults: { ...config.defaults, handOver: ["spare"] } },
    { ...config, defaults: { ...config.defaults, agent: "spare" } },
  ];
  return {
    current: () => config,
    list: () => [],
    forProject: ({ name }) => kinds[Number(name.slice(1)) % kinds.length] ?? config,
    isKnown: () => true,
    error: () => null,
    secret: () => undefined,
    environment: () => ({ PATH: "/usr/bin" }),
  };
}
