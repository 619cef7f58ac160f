import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { builtinDriver } from "../../src/agents/builtin.ts";
import { AgentConfig, Config, type ModelSettings } from "../../src/contract/config.ts";
import type { ProviderConfig } from "../../src/contract/provider.ts";
import type { DriverSubject } from "./agent-bench.ts";
import { startRelay } from "./relay.ts";

type Kind = Exclude<ProviderConfig["kind"], "package">;

/** What comes behind the address of the scripted model in a provider's base URL. */
export const BASE_PATHS: Readonly<Record<Kind, string>> = {
  anthropic: "/v1",
  openai: "/v1",
  google: "/v1beta",
  "openai-compatible": "/v1",
};

/** Drover's own agent, whose provider is the scripted model; it asks once more after 20 ms. Its home goes with the test file. */
export async function builtinSubject(kind: Kind, agent: Partial<AgentConfig> = {}): Promise<DriverSubject> {
  const home = await mkdtemp(join(tmpdir(), "builtin-home-"));
  afterAll(() => rm(home, { recursive: true }));
  let settings: ModelSettings = Config.parse({});
  const models = () => settings;
  return {
    driver: builtinDriver(models, home),
    models,
    lacks: ["cost"],
    tools: { write: "write", run: "run" },
    async open({ socket }) {
      const relay = await startRelay(socket);
      settings = Config.parse({
        providers: { mock: { kind, baseUrl: `${relay.url}${BASE_PATHS[kind]}`, keyVariable: "MOCK_API_KEY" } },
        models: { small: "mock/small-1" },
        builtin: { retries: 1, retryDelayMs: 20 },
      });
      return {
        agent: AgentConfig.parse({ driver: "builtin", model: "small", ...agent }),
        env: { MOCK_API_KEY: "test-key" },
        [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
      };
    },
  };
}
