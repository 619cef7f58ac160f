import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { confiningIsolations, type IsolationName } from "../../src/contract/isolation.ts";
import type { ModelStep } from "../../src/demo/model-script.ts";
import { CLAUDE } from "../support/agent-bench.ts";
import { TestHome } from "../support/daemon.ts";
import { expectNoProcesses } from "../support/leftovers.ts";
import { openTestModel, type TestModel } from "../support/model-server.ts";
import { needs } from "../support/needs.ts";
import { git, makeRepository } from "../support/repository.ts";
import { THE_WAY, wayOf } from "../support/task-way.ts";

/** What a lane of the matrix has for its agents: the model's address, and what is to be put before their commands. */
export interface OpenLane extends AsyncDisposable {
  readonly url: string;
  readonly enter: readonly string[];
  /** Of the home's configuration, besides `defaults.isolation`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string>>;
  /** Called when the daemon has stopped: nothing of the isolation is left. */
  readonly expectNothingLeft: () => void;
}

/** An isolation in which every agent is to do the same task. */
export interface Lane {
  readonly isolation: IsolationName;
  readonly needs: Parameters<typeof needs>;
  open(model: TestModel): Promise<OpenLane>;
}

interface Agent {
  readonly needs: Parameters<typeof needs>;
  /** Its entry in `agents`, and the variables that the daemon has for it. */
  configure(place: Pick<OpenLane, "url" | "enter"> & { readonly isConfined: boolean }): { config: object; env: Record<string, string> };
}

const root = join(import.meta.dirname, "../..");
const program = (name: string) => join(root, "node_modules/.bin", name);

/** Every agent of the matrix, by the name of its driver. */
const agents: Readonly<Record<string, Agent>> = {
  claude: {
    needs: ["claude"],
    configure: ({ url, enter }) => ({
      config: {
        driver: "claude",
        command: [...enter, CLAUDE],
        model: "claude-sonnet-4-5",
        env: ["ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"],
      },
      env: { ANTHROPIC_API_KEY: "test-key", ANTHROPIC_BASE_URL: url },
    }),
  },
  command: {
    needs: [],
    configure: ({ url, enter }) => ({
      config: {
        driver: "command",
        command: [...enter, process.execPath, join(root, "test/programs/small-agent.ts")],
        env: ["MODEL_BASE_URL"],
      },
      env: { MODEL_BASE_URL: url },
    }),
  },
  codex: {
    needs: ["codex"],
    configure: ({ url, enter, isConfined }) => ({
      config: {
        driver: "codex",
        command: [...enter, program("codex"), ...codexProvider(url)],
        model: "gpt-5.5",
        env: ["CODEX_API_KEY"],
        // Its own sandbox does not work within another one.
        permissions: isConfined ? "all" : "edit",
      },
      env: { CODEX_API_KEY: "test-key" },
    }),
  },
  gemini: {
    needs: ["gemini"],
    configure: ({ url, enter }) => ({
      config: {
        driver: "gemini",
        command: [...enter, program("gemini")],
        model: "gemini-2.5-pro",
        env: ["GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"],
      },
      env: { GEMINI_API_KEY: "test-key", GOOGLE_GEMINI_BASE_URL: url },
    }),
  },
};

const sum = 'import assert from "node:assert";\nimport { sum } from "./sum.mjs";\nassert.equal(sum(2, 3), 5);\n';
/** In the words of every agent: a new file, and a command that tries it. */
const steps: readonly ModelStep[] = [
  { text: "I write it.", calls: [{ kind: "write", path: "sum.mjs", content: "export const sum = (a, b) => a + b;\n" }] },
  { calls: [{ kind: "run", command: "node try.mjs" }] },
  { text: "Done: it adds." },
];

/** The same task for every agent in one isolation, by one real daemon: each in a project of its own. */
export function describeLane(lane: Lane): void {
  const names = Object.keys(agents);
  describe.skipIf(!needs(...lane.needs, ...names.flatMap((name) => agents[name]?.needs ?? [])).ok)(`isolation ${lane.isolation}`, () => {
    test(`${names.join(", ")}: an issue becomes a pull request`, { timeout: 240_000 }, async () => {
      await using model = await openTestModel({ scenarios: [{ when: "TASK:", steps }] });
      await using opened = await lane.open(model);
      const isConfined = confiningIsolations.includes(lane.isolation);
      const configured = Object.entries(agents).map(([name, agent]) => ({ name, ...agent.configure({ ...opened, isConfined }) }));
      await using home = await TestHome.make({
        ...opened.config,
        agents: Object.fromEntries(configured.map(({ name, config }) => [name, config])),
        defaults: { isolation: lane.isolation },
        checks: [{ name: "try", command: "node try.mjs" }],
      });
      Object.assign(home.env, opened.env, ...configured.map(({ env }) => env));
      const daemon = await home.start();
      for (const name of names) await daemon.client.registerProject({ body: { path: makeProject(home.folder, name) } });
      const cells = await Promise.all(
        names.map(async (name) => {
          const task = await daemon.settledTask(`${name}#1`);
          const way = await wayOf(daemon, task);
          const [run] = task.runs;
          const isDone = task.status === "succeeded";
          const diff = isDone ? git(join(home.folder, name), "diff", "--stat", "main", task.branch ?? "") : "";
          return {
            name,
            status: task.status,
            message: task.message,
            way,
            ran: [run?.agent, run?.isolation],
            files: diff.includes("sum.mjs | 1 +"),
          };
        }),
      );
      expect(cells).toEqual(
        names.map((name) => ({ name, status: "succeeded", message: null, way: THE_WAY, ran: [name, lane.isolation], files: true })),
      );
      expect(await daemon.stop()).toBe(0);
      await expectNoProcesses(home);
      opened.expectNothingLeft();
    });
  });
}

function makeProject(folder: string, agent: string): string {
  const issue = "---\nlabels: [Claude]\nauthor: ada\n---\n# Write sum\n\nTASK: write sum.mjs, which `node try.mjs` tries.\n";
  const files = {
    "try.mjs": sum,
    Dockerfile: "FROM drover-test\n",
    ".drover/config.yaml": `defaults: { agent: ${agent} }\n`,
    ".drover/issues/1-write-sum.md": issue,
  };
  return makeRepository(join(folder, agent), { files }).path;
}

/** Codex is told by its configuration where its provider is. */
function codexProvider(url: string): string[] {
  const provider = {
    name: '"mock"',
    base_url: `"${url}/v1"`,
    env_key: '"CODEX_API_KEY"',
    wire_api: '"responses"',
    supports_websockets: false,
  };
  return [
    "--config=model_provider=mock",
    ...Object.entries(provider).map(([name, value]) => `--config=model_providers.mock.${name}=${value}`),
  ];
}
