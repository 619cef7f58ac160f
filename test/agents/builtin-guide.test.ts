import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { builtinDriver } from "../../src/agents/builtin.ts";
import { loadTools } from "../../src/builtin/outside-tools.ts";
import { Config, type AgentConfig } from "../../src/contract/config.ts";
import { anthropicMessages } from "../../src/demo/anthropic-messages.ts";
import { startModelServer } from "../../src/demo/model-server.ts";
import { systemClock } from "../../src/base/clock.ts";
import { openBench } from "../conformance/driver.ts";

const guide = await readFile(join(import.meta.dirname, "../../docs/guides/builtin-agent.md"), "utf8");
const examples = (language: string) =>
  [...guide.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gsu"))].map(([, text = ""]) => text);
const [provider = "", tickets = ""] = examples("js");
const settingsWith = (word: string) => Config.parse(parse(examples("yaml").find((text) => text.includes(word)) ?? ""));

async function makeHome() {
  const home = await mkdtemp(join(tmpdir(), "home-"));
  onTestFinished(() => rm(home, { recursive: true }));
  return home;
}

const bench = (settings: Config, home: string, agent: AgentConfig, env: Record<string, string>) =>
  openBench(
    { driver: builtinDriver(() => settings, home), open: async () => ({ agent, env, async [Symbol.asyncDispose]() {} }) },
    { scenarios: [] },
  );

test("the guide's settings are right", () => {
  for (const text of examples("yaml")) expect(Config.safeParse(parse(text)).error).toBeUndefined();
});

test("the guide's provider, a package in the home, is asked without a word of it in Drover", async () => {
  const home = await makeHome();
  const folder = join(home, "node_modules", "drover-provider-acme");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "type": "module", "exports": "./index.js" }');
  await writeFile(join(folder, "index.js"), provider);
  const settings = settingsWith("drover-provider-acme");
  const { start } = await bench(settings, home, settings.agents["acme"] as AgentConfig, { ACME_KEY: "12345678" });
  const run = await start({ prompt: "Who are you?" });
  const said = "large at https://models.acme.example/v1, with a key of 8 characters, was asked: Who are you?";
  expect((await run.conclude()).verdict).toEqual({ ok: true });
  expect(run.events).toEqual([
    { type: "session_started", sessionId: expect.any(String), model: "acme/large" },
    { type: "usage", usage: { inputTokens: 12, outputTokens: 3, cacheReadTokens: 0, costUsdMicros: null } },
    { type: "message", text: said },
    { type: "turn_ended", verdict: { ok: true }, report: said, stdin: '{"type":"end"}\n' },
  ]);
});

test("the guide's tool is offered, used, and may fail", async () => {
  const home = await makeHome();
  const file = join(home, "tickets.mjs");
  await writeFile(file, tickets);
  const call = (number: unknown) => ({ calls: [{ kind: "tool" as const, tool: "ticket", input: { number } }] });
  const steps = [call(7), call(1000), call("seven"), { text: "Done." }];
  await using model = await startModelServer({
    script: { scenarios: [{ when: "TASK:", steps }] },
    listen: { port: 0 },
    clock: systemClock,
    apis: [anthropicMessages],
  });
  const settings = Config.parse({
    providers: { mock: { kind: "anthropic", baseUrl: `${model.address}/v1` } },
    agents: { mine: { driver: "builtin", model: "mock/small-1", tools: [file] } },
  });
  const { start, workspace } = await bench(settings, home, settings.agents["mine"] as AgentConfig, {});
  const run = await start({ prompt: "TASK: read the ticket." });
  expect((await run.conclude()).verdict).toEqual({ ok: true });
  const used = run.events.filter((event) => event.type === "tool_finished").map(({ tool, failed }) => [tool, failed]);
  expect(used).toEqual([
    ["ticket", false],
    ["ticket", true],
    ["ticket", true],
  ]);
  const told = model.journal.at(-1)?.body ?? "";
  expect(told).toContain(`Ticket 7, asked for in ${workspace}: the sum is wrong.`);
  expect(told).toContain("There is no ticket 1000.");
  expect(told).toContain("expected number, received string");
});

const unfit: [what: string, source: string, why: string][] = [
  ["does not parse", "export default (", "can't be used: "],
  ["has no default export", "export const tool = {}", "its default export is not a function that makes tools"],
  [
    "makes no tool",
    "export default () => ({ name: 'a b', description: '', input: null, run() {} })",
    "its function returns something that is no tool",
  ],
  ["fails", "export default () => { throw new Error('no luck') }", "no luck"],
];
test.each(unfit)("a module with tools that %s is refused, saying why", async (_what, source, why) => {
  const file = join(await makeHome(), "tools.mjs");
  await writeFile(file, source);
  await expect(loadTools(file)).rejects.toThrow(why);
});
