import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CLAUDE } from "./agent-bench.ts";
import type { TestDaemon } from "./daemon.ts";
import type { needs } from "./needs.ts";
import { opencodeSettings } from "./real-agents.ts";

/** Where an agent is to work: how it sees the scripted model, what is to be put before its command, and what is around it. */
export interface AgentSpot {
  readonly url: string;
  readonly enter: readonly string[];
  readonly isConfined: boolean;
}

/** An agent as a home's configuration has it, whose model is the scripted one. */
export interface AgentEntry {
  readonly needs: Parameters<typeof needs>;
  /** Its entry in `agents`, and the variables that the daemon has for it. */
  configure(spot: AgentSpot): { readonly config: object; readonly env: Readonly<Record<string, string>> };
  /** What a person does in the meantime who is the agent of a task. */
  assist?(daemon: TestDaemon, key: string): Promise<void>;
}

const root = join(import.meta.dirname, "../..");
const program = (name: string) => join(root, "node_modules/.bin", name);

/** One for each driver of ours, by its name. */
export const agentEntries: Readonly<Record<string, AgentEntry>> = {
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
      config: { driver: "gemini", command: [...enter, program("gemini")], model: "gemini-2.5-pro", env: GEMINI_VARIABLES },
      env: { GEMINI_API_KEY: "test-key", GOOGLE_GEMINI_BASE_URL: url },
    }),
  },
  opencode: {
    needs: ["opencode"],
    configure: ({ url, enter }) => ({
      config: {
        driver: "opencode",
        command: [...enter, program("opencode")],
        model: "mock/mock-1",
        env: ["MOCK_API_KEY", "OPENCODE_CONFIG_CONTENT"],
      },
      env: { MOCK_API_KEY: "test-key", OPENCODE_CONFIG_CONTENT: JSON.stringify(opencodeSettings(url)) },
    }),
  },
  /** Gemini CLI over the Agent Client Protocol. */
  acp: {
    needs: ["gemini"],
    configure: ({ url, enter }) => ({
      config: { driver: "acp", command: [...enter, program("gemini"), "--acp", "--model=gemini-2.5-pro"], env: GEMINI_VARIABLES },
      env: { GEMINI_API_KEY: "test-key", GOOGLE_GEMINI_BASE_URL: url },
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
  human: {
    needs: [],
    configure: () => ({ config: { driver: "human" }, env: {} }),
    assist: doByHand,
  },
};

const GEMINI_VARIABLES = ["GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL"];

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

/** Reads what is asked for where the question says, writes the file, and says that it is done. */
async function doByHand(daemon: TestDaemon, key: string): Promise<void> {
  const { client } = daemon;
  await daemon.until((event) => event.type === "run.question_asked" && event.data.tool === "person");
  const [run] = (await client.getTask({ params: { task: key } })).runs;
  const [question] = run?.questions ?? [];
  if (run === undefined || question === undefined) throw new Error(`Nobody is asked anything by ${key}.`);
  const { workspace, request } = JSON.parse(question.input) as { workspace: string; request: string };
  if (!readFileSync(request, "utf8").includes("TASK: write sum.mjs")) throw new Error(`${request} does not hold the request.`);
  writeFileSync(join(workspace, "sum.mjs"), "export const sum = (a, b) => a + b;\n");
  await client.answerRun({ params: { run: run.id }, body: { question: question.id, allow: true, message: "Done: it adds." } });
}
