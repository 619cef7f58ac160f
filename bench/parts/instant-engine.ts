import { join } from "node:path";
import type { AgentEvent, Driver, OutputReader } from "../../src/agents/driver.ts";
import { driversOf } from "../../src/agents/registry.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { homePaths } from "../../src/base/paths.ts";
import { systemRandom } from "../../src/base/random.ts";
import { Config } from "../../src/contract/config.ts";
import type { EngineParts, Settings } from "../../src/engine/parts.ts";
import type { Forge } from "../../src/forge/forge.ts";
import { processIsolation } from "../../src/isolation/process.ts";
import type { HeldState, OutputLine, ProcessHost } from "../../src/process/host.ts";
import type { Database } from "../../src/store/database.ts";
import { createPromptRenderer } from "../../src/workflow/prompt.ts";
import { builtinWorkflows } from "../../test/support/workflows.ts";
import type { Branches } from "../../src/workspace/branches.ts";
import type { Workspaces } from "../../src/workspace/workspaces.ts";

/**
 * The parts of a daemon over a real database, in a world that does everything at once: what a task costs here is what the
 * engine, the store and the publisher themselves cost.
 */
export function instantParts(database: Database, folder: string, agentMax: number): EngineParts {
  const forge = instantForge();
  return {
    clock: systemClock,
    random: systemRandom,
    log: silentLog,
    paths: homePaths(join(folder, "home")),
    database,
    host: instantHost(),
    workspaces: instantWorkspaces(),
    branches: unmovedBranches,
    drivers: driversOf([instantDriver]),
    traces: {
      readSpool: async (_file, from) => ({ records: [], end: from, damaged: 0 }),
      async *watch() {},
      newestChange: async () => null,
    },
    runToken: () => "",
    apiUrl: () => "",
    isolations: new Map([[processIsolation.name, processIsolation]]),
    forges: { github: forge, local: forge },
    workflows: builtinWorkflows(database).workflows,
    renderPrompt: createPromptRenderer(),
    copyFiles: async () => {},
    readKnowledge: async () => ({ instructions: "", skills: [] }),
    runCheck: async () => ({ exitCode: 0, durationMs: 1, failures: [], outputTail: "" }),
    settings: settingsFor(agentMax),
    redact: (text) => text,
  };
}

/** What a configuration says of the agent that is done at once. */
export const INSTANT_AGENT = { driver: "instant" };

function settingsFor(agentMax: number): Settings {
  const config = Config.parse({
    daemon: { maxProcesses: agentMax, queueMax: 10_000_000 },
    agents: { instant: INSTANT_AGENT },
    defaults: { agent: "instant" },
    checks: [{ name: "test", command: "true" }],
  });
  return {
    current: () => config,
    list: () => [],
    forProject: () => config,
    isKnown: () => true,
    error: () => null,
    secret: () => undefined,
    environment: () => ({ PATH: "/usr/bin" }),
  };
}

const said: readonly AgentEvent[] = [
  { type: "session_started", sessionId: "session", model: "instant" },
  { type: "usage", usage: { inputTokens: 1000, outputTokens: 100, cacheReadTokens: 0, costUsdMicros: 1000 } },
  { type: "turn_ended", verdict: { ok: true }, report: "Done.", stdin: null },
];

const instantDriver: Driver = {
  name: "instant",
  detect: async () => ({ found: true, program: "instant", version: "1", loggedIn: true }),
  launch: ({ prompt }) => ({ argv: ["instant"], env: {}, files: {}, stdin: prompt }),
  openReader: (): OutputReader => ({
    read: (line) => [JSON.parse(line) as AgentEvent],
    conclude: () => ({ verdict: { ok: true }, report: "Done." }),
  }),
  answer: () => null,
};

function instantHost(): ProcessHost {
  const ended = { state: "exited", exitCode: 0, signal: null } as const satisfies HeldState;
  let end = 0;
  const lines: OutputLine[] = said.map((event) => {
    const text = JSON.stringify(event);
    end += text.length + 1;
    return { text, end };
  });
  async function* readLines() {
    yield* lines;
  }
  return {
    start: async () => ({ bootId: "boot", pid: 1, startTime: "1" }),
    settle: async () => ended,
    inspect: async () => ended,
    waitForEnd: async () => ended,
    send: async () => {},
    readLines,
    readErrors: async () => "",
    stop: async () => ended,
    sweep: async () => [],
    survey: async () => new Map(),
    measure: async () => ({ memoryBytes: 0, cpuPercent: 0, runs: new Map(), isLimited: true }),
    readMemoryPressure: async () => ({ stalledPercent: null, availableBytes: null }),
    limit: async () => {},
    limitAll: async () => {},
  };
}

const unmoved = { movedFrom: null, conflicts: [], note: null };

/** The base never moves here, so nothing is ever done with finished branches. */
const unmovedBranches = {} as Branches;

function instantWorkspaces(): Workspaces {
  const base = "a".repeat(40);
  const head = "b".repeat(40);
  return {
    fetchBase: async () => base,
    open: async (_project, task) => ({ directory: `/workspaces/${task.number}`, baseCommit: base, fresh: true, ...unmoved }),
    openBase: async () => ({ directory: "/base", baseCommit: base, fresh: false, ...unmoved }),
    markBaseReady: async () => {},
    holdTrees: () => ({ [Symbol.dispose]: () => {} }),
    move: async () => ({ outcome: "none" }),
    checkpoint: async (_project, _task, reason, at) => ({ index: 1, commit: head, at, reason }),
    checkpoints: async () => [],
    collect: async () => ({ headCommit: head, tree: head, changed: true, changes: ["file | 1 +"] }),
    diff: async () => "",
    archive: async () => {},
    push: async () => {},
    restore: async () => ({ path: "", commit: head, checkpoint: null }),
    rewind: async () => {},
    remove: async () => {},
    sweep: async () => 0,
  };
}

function instantForge(): Forge {
  return {
    kind: "local",
    poll: async () => ({ changed: false }),
    getIssue: async () => undefined,
    mayStart: async () => ({ allowed: true, actor: "octocat", reason: "owner" }),
    read: async () => ({ changed: false }),
    headRef: ({ head }) => `refs/heads/${head.ref}`,
    putComment: async (_target, { issue }) => ({ url: `drover:issues/${issue}` }),
    putPullRequest: async () => ({ number: 1, url: "drover:pulls/1", open: true }),
    mergesPulls: true,
    pullState: async () => ({ state: "ready" }),
    mergePull: async () => {},
    credentials: () => ({ token: null }),
  };
}
