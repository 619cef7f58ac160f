import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acpDriver } from "../../src/agents/acp.ts";
import { codexDriver } from "../../src/agents/codex.ts";
import { geminiDriver } from "../../src/agents/gemini.ts";
import { opencodeDriver } from "../../src/agents/opencode.ts";
import { systemClock } from "../../src/base/clock.ts";
import { AgentConfig } from "../../src/contract/config.ts";
import type { DriverSubject } from "./agent-bench.ts";
import { openNetworkNamespace } from "./network-namespace.ts";

const program = (name: string) => join(import.meta.dirname, "../../node_modules/.bin", name);

/** The real Codex, in a network namespace of its own whose only way out is the scripted model, as a provider of the person's. */
export const realCodex: DriverSubject = {
  driver: codexDriver(systemClock),
  lacks: ["questions", "cost"],
  tools: { write: "file_change", run: "command_execution" },
  async open({ socket }) {
    const namespace = await openNetworkNamespace(socket);
    const provider = {
      name: '"mock"',
      base_url: `"${namespace.url}/v1"`,
      requires_openai_auth: true,
      wire_api: '"responses"',
      request_max_retries: 0,
      stream_max_retries: 1,
      supports_websockets: false,
    };
    const settings = Object.entries(provider).map(([name, value]) => `--config=model_providers.mock.${name}=${value}`);
    const command = [...namespace.enter, program("codex"), "--config=model_provider=mock", ...settings];
    return {
      // Of its bundled models the newest are offered tools that only they are scripted for.
      agent: AgentConfig.parse({ driver: "codex", command, model: "gpt-5.5" }),
      env: { CODEX_API_KEY: "test-key" },
      [Symbol.asyncDispose]: () => namespace[Symbol.asyncDispose](),
    };
  },
};

/** The real Gemini CLI, in a network namespace of its own whose only way out is the scripted model. */
export const realGemini: DriverSubject = {
  driver: geminiDriver(systemClock),
  lacks: ["questions", "retries", "cost", "reconnection"],
  tools: { write: "write_file", run: "run_shell_command" },
  async open({ socket }) {
    const namespace = await openNetworkNamespace(socket);
    return {
      agent: AgentConfig.parse({ driver: "gemini", command: [...namespace.enter, program("gemini")], model: "gemini-2.5-pro" }),
      env: { GEMINI_API_KEY: "test-key", GOOGLE_GEMINI_BASE_URL: namespace.url },
      [Symbol.asyncDispose]: () => namespace[Symbol.asyncDispose](),
    };
  },
};

/** What a person has in OpenCode's settings to have the scripted model as a provider. */
export function opencodeSettings(url: string): object {
  const provider = {
    npm: "@ai-sdk/openai-compatible",
    options: { baseURL: `${url}/v1` },
    env: ["MOCK_API_KEY"],
    models: { "mock-1": { tool_call: true, cost: { input: 3, output: 15 }, limit: { context: 200_000, output: 8192 } } },
  };
  return { small_model: "mock/mock-1", provider: { mock: provider } };
}

/** The real OpenCode, in a network namespace of its own whose only way out is the scripted model, as a provider of the person's. */
export const realOpencode: DriverSubject = {
  driver: opencodeDriver(systemClock),
  lacks: ["questions", "retries"],
  tools: { write: "write", run: "bash" },
  isPatient: true,
  async open({ socket }) {
    await using stack = new AsyncDisposableStack();
    const namespace = stack.use(await openNetworkNamespace(socket));
    const folder = await mkdtemp(join(tmpdir(), "opencode-"));
    stack.defer(() => rm(folder, { recursive: true }));
    const settings = join(folder, "opencode.json");
    await writeFile(settings, JSON.stringify(opencodeSettings(namespace.url)));
    const end = stack.move();
    return {
      agent: AgentConfig.parse({ driver: "opencode", command: [...namespace.enter, program("opencode")], model: "mock/mock-1" }),
      env: { MOCK_API_KEY: "test-key", OPENCODE_CONFIG: settings },
      [Symbol.asyncDispose]: () => end.disposeAsync(),
    };
  },
};

/** The real Gemini CLI over the Agent Client Protocol. */
export const acpGemini: DriverSubject = {
  ...realGemini,
  driver: acpDriver(systemClock),
  lacks: ["retries", "reasons", "cost", "reconnection"],
  tools: { write: "edit", run: "execute" },
  async open(model) {
    const opened = await realGemini.open(model);
    const { command, model: name } = opened.agent;
    return { ...opened, agent: AgentConfig.parse({ driver: "acp", command: [...command, "--acp", `--model=${name}`] }) };
  },
};

/** The real OpenCode over the Agent Client Protocol. */
export const acpOpencode: DriverSubject = {
  ...realOpencode,
  driver: acpDriver(systemClock),
  lacks: ["retries", "reasons", "totals", "statuses"],
  tools: { write: "edit", run: "execute" },
  async open(model) {
    const opened = await realOpencode.open(model);
    return { ...opened, agent: AgentConfig.parse({ ...opened.agent, driver: "acp", command: [...opened.agent.command, "acp"] }) };
  },
};
