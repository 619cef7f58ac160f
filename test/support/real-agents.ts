import { join } from "node:path";
import { codexDriver } from "../../src/agents/codex.ts";
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
      env_key: '"CODEX_API_KEY"',
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
