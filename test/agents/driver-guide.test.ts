import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { createDrivers } from "../../src/agents/registry.ts";
import { systemClock } from "../../src/base/clock.ts";
import { AgentConfig, Config } from "../../src/contract/config.ts";
import { openBench } from "../conformance/driver.ts";

const guide = await readFile(join(import.meta.dirname, "../../docs/adding-an-agent.md"), "utf8");
const example = (language: string) => new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "su").exec(guide)?.[1] ?? "";

/** The guide's package in a home, and its agent, which prints what the guide says, on PATH. */
async function install(exitCode: number) {
  const home = await mkdtemp(join(tmpdir(), "acme-"));
  onTestFinished(() => rm(home, { recursive: true }));
  const { agents } = parse(example("yaml")) as { agents: { acme: { driver: string } } };
  const folder = join(home, "node_modules", agents.acme.driver);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await writeFile(join(folder, "index.js"), example("js"));
  const program = join(home, "acme");
  await writeFile(join(home, "lines"), example("json"));
  await writeFile(program, `#!/bin/sh\n[ "$1" = --version ] && exec echo 1.0\ncat "$3" > NOTES.md\ncat ${home}/lines\nexit ${exitCode}\n`);
  await chmod(program, 0o755);
  return {
    agent: AgentConfig.parse({ ...agents.acme, command: [program] }),
    driver: createDrivers(systemClock, home, () => Config.parse({})).find(agents.acme.driver),
  };
}

const open = async (exitCode: number) => {
  const { agent, driver } = await install(exitCode);
  return openBench({ driver, open: async () => ({ agent, env: {}, async [Symbol.asyncDispose]() {} }) }, { scenarios: [] });
};

test("the driver of the guide works as the guide says", async () => {
  const bench = await open(0);
  const run = await bench.start({ prompt: "Please write this down." });
  const { verdict, report, end } = await run.conclude();
  expect({ verdict, report, end }).toEqual({
    verdict: { ok: true },
    report: "The notes are in NOTES.md.",
    end: { state: "exited", exitCode: 0, signal: null },
  });
  expect(run.events).toEqual([
    { type: "session_started", sessionId: "s-1", model: "acme-large" },
    { type: "message", text: "I write the file." },
    { type: "tool_called", id: "t-1", tool: "write", input: '{"path":"NOTES.md"}' },
    { type: "tool_finished", id: "t-1", tool: "write", failed: false },
    { type: "usage", usage: { inputTokens: 1200, outputTokens: 80, cacheReadTokens: 0, costUsdMicros: null } },
    { type: "turn_ended", verdict: { ok: true }, report: "The notes are in NOTES.md.", stdin: null },
  ]);
  expect(await readFile(join(bench.workspace, "NOTES.md"), "utf8")).toBe("Please write this down.");
});

test("its good word alone is no success", async () => {
  const run = await (await open(3)).start({ prompt: "Please." });
  expect((await run.conclude()).verdict).toEqual({ ok: false, reason: "agent_error", message: "exit code 3", retryAt: null });
});

test("its types are those of Drover's own package", async () => {
  const folder = await mkdtemp(join(tmpdir(), "acme-types-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "node_modules"));
  const root = join(import.meta.dirname, "../..");
  await symlink(root, join(folder, "node_modules/drover"));
  await symlink(join(root, "node_modules/@types"), join(folder, "node_modules/@types"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await writeFile(join(folder, "right.js"), example("js"));
  await writeFile(join(folder, "wrong.js"), example("js").replace('name: "acme"', "name: 1"));
  const settings =
    "--noEmit --allowJs --checkJs --allowImportingTsExtensions --module nodenext --target esnext --skipLibCheck --types node";
  const check = (file: string) =>
    spawnSync(process.execPath, [join(root, "node_modules/typescript7/bin/tsc"), ...settings.split(" "), file], {
      cwd: folder,
      encoding: "utf8",
    });
  expect(check("right.js").stdout).toBe("");
  expect(check("wrong.js").stdout).toContain("Type 'number' is not assignable to type 'string'");
});

test("it finds its agent, and says what to do when there is none", async () => {
  const { agent, driver } = await install(0);
  const { signal } = new AbortController();
  const [program] = agent.command;
  expect(await driver.detect(agent, { ACME_API_KEY: "k" }, signal)).toEqual({ found: true, program, version: "1.0", loggedIn: true });
  expect(await driver.detect({ ...agent, command: ["/nowhere/acme"] }, {}, signal)).toEqual({
    found: false,
    message: expect.stringContaining("Install it: npm install -g acme"),
  });
});
