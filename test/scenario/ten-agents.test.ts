import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { IsolationName } from "../../src/contract/isolation.ts";
import type { ModelStep } from "../../src/demo/model-script.ts";
import { agentEntries, type AgentSpot } from "../support/agent-entries.ts";
import { TestHome, type TestDaemon } from "../support/daemon.ts";
import { holdModel } from "../support/held-model.ts";
import { lanes } from "../support/lanes.ts";
import { expectNoProcesses } from "../support/leftovers.ts";
import { openTestModel } from "../support/model-server.ts";
import { needs } from "../support/needs.ts";
import { git, makeRepository } from "../support/repository.ts";

const kinds = ["claude", "codex", "gemini", "opencode"] as const;
/** Who works where: a project each, called `claude-process`. */
const team: Readonly<Partial<Record<IsolationName, readonly (typeof kinds)[number][]>>> = {
  process: kinds,
  sandbox: ["claude", "codex", "opencode"],
  docker: ["claude", "codex", "gemini"],
};
const used = lanes.filter(({ isolation }) => team[isolation] !== undefined);
const steps: readonly ModelStep[] = [{ calls: [{ kind: "run", command: "echo ran >>ran.txt" }] }, { text: "Done." }];
const needed = needs(...used.flatMap((lane) => lane.needs), ...kinds);

describe.skipIf(!needed.ok)("ten agents of four kinds in three isolations", () => {
  test(
    "the daemon is killed while all wait for their model: all are adopted, none runs twice, all finish",
    { timeout: 900_000 },
    async () => {
      await using model = await openTestModel({ scenarios: [{ when: "TASK:", steps }] });
      await using held = await holdModel(model);
      await using stack = new AsyncDisposableStack();
      const opened = new Map<IsolationName, Awaited<ReturnType<(typeof used)[number]["open"]>>>();
      for (const lane of used) opened.set(lane.isolation, stack.use(await lane.open(held.socket)));
      const members = [...opened].flatMap(([isolation, spot]) =>
        (team[isolation] ?? []).map((kind) => ({ name: `${kind}-${isolation}`, isolation, config: configOf(kind, spot) })),
      );
      await using home = await TestHome.make({
        ...Object.assign({}, ...[...opened.values()].map(({ config }) => config)),
        agents: Object.fromEntries(members.map(({ name, config }) => [name, config])),
        daemon: { maxProcesses: members.length },
        resources: { maxMemoryMB: 16_384, maxCpuPercent: 100 },
      });
      Object.assign(home.env, keys);
      const first = await home.start();
      // All at once, so that the first does not lose its patience with the model before the last has asked it.
      await first.client.changeQueue({ body: { paused: true } });
      for (const { name, isolation } of members) await register(home, first, name, isolation);
      await first.client.changeQueue({ body: { paused: false } });
      // Until each has asked its model, which does not answer.
      const waiting = () =>
        members.filter(({ name }) => model.journal.some(({ scenario, body }) => scenario === "TASK:" && body.includes(`TASK: ${name}.`)));
      await expect.poll(() => waiting().length, { timeout: 480_000, interval: 500 }).toBe(members.length);
      const before = await processesOf(first);
      expect(before).toHaveLength(10);
      await first.kill();

      const second = await home.start();
      let adopted = 0;
      await second.until((event) => event.type === "run.adopted" && (adopted += 1) === members.length);
      expect(await processesOf(second)).toEqual(before);
      held.open();
      const tasks = await Promise.all(members.map(({ name }) => second.settledTask(`${name}#1`)));
      const ended = tasks.map(({ key, status, message, runs, branch }, index) => ({
        key,
        status,
        message,
        ran: runs.map(({ isolation }) => isolation),
        said: git(join(home.folder, members[index]?.name ?? ""), "show", `${branch}:ran.txt`),
      }));
      expect(ended).toEqual(
        members.map(({ name, isolation }) => ({ key: `${name}#1`, status: "succeeded", message: null, ran: [isolation], said: "ran" })),
      );
      expect(await second.stop()).toBe(0);
      await expectNoProcesses(home);
      for (const { expectNothingLeft } of opened.values()) expectNothingLeft(home.home);
    },
  );
});

/** Variables that are the same for every agent of a kind. */
const keys = { ANTHROPIC_API_KEY: "test-key", CODEX_API_KEY: "test-key", GEMINI_API_KEY: "test-key", MOCK_API_KEY: "test-key" };

/** An agent whose model is at another address than that of its like in the next isolation, so that its command says where. */
function configOf(kind: (typeof kinds)[number], spot: AgentSpot): object {
  const entry = agentEntries[kind];
  if (!entry) throw new Error(`There is no agent ${kind}.`);
  const configured = entry.configure(spot);
  const { command, env, ...config } = configured.config as { command: string[]; env: string[] };
  const own = Object.entries(configured.env).filter(([name]) => !(name in keys));
  return {
    ...config,
    command: ["/usr/bin/env", ...own.map(([name, value]) => `${name}=${value}`), ...command],
    env: env.filter((name) => name in keys),
  };
}

async function register({ folder }: TestHome, { client }: TestDaemon, name: string, isolation: IsolationName): Promise<void> {
  const files = {
    Dockerfile: "FROM drover-test\n",
    ".drover/config.yaml": `defaults: { agent: ${name}, isolation: ${isolation} }\n`,
    ".drover/issues/1-run.md": `---\nlabels: [Claude]\nauthor: ada\n---\n# Run\n\nTASK: ${name}.\n`,
  };
  await client.registerProject({ body: { path: makeRepository(join(folder, name), { files }).path } });
}

async function processesOf({ client }: TestDaemon) {
  const { items } = await client.listRuns({ query: { open: true, limit: 100 } });
  return items.map(({ id, process }) => ({ id, process })).toSorted((one, other) => one.id.localeCompare(other.id));
}
