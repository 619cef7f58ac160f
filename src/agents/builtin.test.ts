import { expect, test } from "vitest";
import { AgentConfig, Config } from "../contract/config.ts";
import { builtinDriver } from "./builtin.ts";
import type { LaunchRequest } from "./driver.ts";

const settings = Config.parse({
  providers: {
    anthropic: { kind: "anthropic", keyVariable: "ANTHROPIC_API_KEY" },
    local: { kind: "openai-compatible", baseUrl: "http://localhost:11434/v1" },
    odd: { kind: "package", package: "drover-provider-none" },
  },
  models: { sonnet: "anthropic/claude-sonnet-5-5" },
});
const driver = builtinDriver(() => settings, "/home/me/.drover");
const agentWith = (agent: Partial<AgentConfig>) => AgentConfig.parse({ driver: "builtin", ...agent });
const requestWith = (agent: Partial<AgentConfig>, more: Partial<LaunchRequest> = {}): LaunchRequest => ({
  agent: agentWith(agent),
  prompt: "Do it.",
  workspace: "/workspace",
  configDirectory: "/task/config",
  sessionId: null,
  hooks: null,
  toolServer: null,
  tools: null,
  sandbox: { allowedHosts: ["example.com"], readable: ["/opt"] },
  path: "/bin",
  env: { ANTHROPIC_API_KEY: "secret-key" },
  ...more,
});
const detect = (agent: Partial<AgentConfig>, env = {}) => driver.detect(agentWith(agent), env, new AbortController().signal);

test("a launch hands over one line on stdin; the key is in the environment and nowhere else", () => {
  const hooks = { spool: "/task/config/hooks/run_1.jsonl", url: "http://127.0.0.1:3003/api/hooks/run_1", token: "t-1" };
  const { argv, env, files, reach, stdin } = driver.launch(requestWith({ model: "sonnet", effort: "low" }, { hooks, tools: ["read"] }));
  expect(argv).toEqual([process.execPath, expect.stringMatching(/\/src\/builtin\/main\.ts$/u)]);
  expect(env).toEqual({ NODE_COMPILE_CACHE: "/home/me/.drover/cache/node", ANTHROPIC_API_KEY: "secret-key", PATH: "/bin" });
  expect({ files, reach }).toEqual({ files: {}, reach: { hosts: ["api.anthropic.com:443"], files: [], programs: [] } });
  expect(stdin).toMatch(/^[^\n]+\n$/u);
  expect(stdin).not.toContain("secret-key");
  expect(JSON.parse(stdin)).toEqual({
    prompt: "Do it.",
    sessionId: null,
    configDirectory: "/task/config",
    home: "/home/me/.drover",
    hookSpool: hooks.spool,
    drover: null,
    model: {
      provider: "anthropic",
      model: "claude-sonnet-5-5",
      kind: "anthropic",
      keyVariable: "ANTHROPIC_API_KEY",
      baseUrl: "https://api.anthropic.com/v1",
      package: null,
    },
    effort: "low",
    permissions: "edit",
    tools: ["read"],
    toolModules: [],
    sandbox: { allowedHosts: ["example.com"], readable: ["/opt"] },
    limits: settings.builtin,
  });
});

test("in a confinement, and with permissions `all`, commands get no sandbox of their own", () => {
  const orderOf = (request: LaunchRequest) => JSON.parse(driver.launch(request).stdin) as { sandbox: unknown };
  expect(orderOf(requestWith({ model: "sonnet" }, { sandbox: null })).sandbox).toBeNull();
  expect(orderOf(requestWith({ model: "sonnet", permissions: "all" })).sandbox).toBeNull();
  expect(driver.launch(requestWith({ model: "sonnet" }, { sandbox: null })).env).toEqual({ ANTHROPIC_API_KEY: "secret-key", PATH: "/bin" });
});

test.each([
  ["sonnet", ["ANTHROPIC_API_KEY"]],
  ["anthropic/another", ["ANTHROPIC_API_KEY"]],
  ["local/small/7b", []],
  ["nobody/model", []],
  [null, []],
])("of the daemon's environment, an agent with the model %s gets %j", (model, variables) => {
  expect(driver.credentials?.(agentWith({ model }))).toEqual(variables);
});

test("an agent is found where its model is, and logged in where its key is", async () => {
  const found = { found: true, program: process.execPath, version: process.versions.node };
  expect(await detect({ model: "sonnet" }, { ANTHROPIC_API_KEY: "k" })).toEqual({ ...found, loggedIn: true });
  expect(await detect({ model: "sonnet" })).toEqual({ ...found, loggedIn: false });
  expect(await detect({ model: "local/qwen" })).toEqual({ ...found, loggedIn: null });
});

const wrong: [agent: Partial<AgentConfig>, message: string][] = [
  [{}, "It has no `model`. Set the agent's model to PROVIDER/MODEL, or to one of models: sonnet."],
  [{ model: "opus" }, "There is no model opus. Set the agent's model to PROVIDER/MODEL, or to one of models: sonnet."],
  [
    { model: "nobody/model" },
    "There is no provider nobody for the model nobody/model. There is: anthropic, local, odd. Add it to providers.",
  ],
  [{ model: "constructor/model" }, "There is no provider constructor for the model constructor/model."],
  [
    { model: "odd/model" },
    "The provider odd can't be loaded from drover-provider-none: there is no package of that name. To install one: npm install --prefix /home/me/.drover drover-provider-none.",
  ],
  [{ model: "sonnet", tools: ["/nowhere/tools.js"] }, "The tools can't be loaded from /nowhere/tools.js: there is no module there."],
];
test.each(wrong)("%j is not found, and cannot be launched: %s", async (agent, message) => {
  expect(await detect(agent)).toEqual({ found: false, message: expect.stringContaining(message) });
  expect(() => driver.launch(requestWith(agent))).toThrow(message);
});
