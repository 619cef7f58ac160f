import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AgentConfig } from "../../src/contract/config.ts";
import type { ModelStep } from "../../src/demo/model-script.ts";
import { describeDriver, DONE, fileAppears, LONG, openBench, PROMPT, taskScript, WRITE } from "../conformance/driver.ts";
import { CLAUDE, realClaude, type AgentBench } from "../support/agent-bench.ts";
import type { AgentRun } from "../support/agent-run.ts";
import { needs } from "../support/needs.ts";
import { outlineOf, toldHooks } from "../support/told-hooks.ts";

const { driver } = realClaude;

describe.skipIf(!needs("claude", "network-namespace").ok)("Claude Code", () => {
  describeDriver("claude", realClaude);

  test("counts what its sub-agents use", async () => {
    const ask: ModelStep = {
      calls: [{ kind: "tool", tool: "Task", input: { description: "Look", prompt: "SUB: look", subagent_type: "general-purpose" } }],
    };
    const script = { scenarios: [{ when: "SUB:", steps: [DONE] }, ...taskScript(ask, DONE).scenarios] };
    const { start } = await openBench(realClaude, script);
    const run = await start({ prompt: PROMPT });
    expect((await run.conclude()).verdict).toEqual({ ok: true });
    expect((await run.until("usage")).usage).toMatchObject({ inputTokens: 3000, outputTokens: 150 });
  });

  test("an interrupted turn is no success", async () => {
    const { start, workspace } = await openBench(realClaude, taskScript(LONG, DONE));
    const run = await start({ prompt: PROMPT });
    await fileAppears(workspace, "started");
    await run.send(`${JSON.stringify({ type: "control_request", request_id: "stop", request: { subtype: "interrupt" } })}\n`);
    expect((await run.conclude()).verdict).toMatchObject({ ok: false, reason: "agent_error", message: expect.stringContaining("aborted") });
  });

  test("a session that is not there is no success", async () => {
    const { start } = await openBench(realClaude, taskScript(DONE));
    const run = await start({ prompt: PROMPT, sessionId: "11111111-1111-4111-8111-111111111111" });
    expect((await run.conclude()).verdict).toMatchObject({ ok: false, message: expect.stringContaining("No conversation found") });
  });

  test("a file outside the workspace is asked for, inside it is not", async () => {
    const outside: ModelStep = { calls: [{ kind: "write", path: "../outside.txt", content: "x" }] };
    const { start, folder } = await openBench(realClaude, taskScript(WRITE, outside, DONE));
    const run = await start({ prompt: PROMPT });
    const question = await run.until("question_asked");
    expect(JSON.parse(question.input)).toMatchObject({ file_path: join(folder, "outside.txt") });
    await run.answer(question, { allow: false, message: "" });
    expect((await run.conclude()).verdict).toMatchObject({ ok: false, reason: "permission_denied" });
    expect(run.events.filter(({ type }) => type === "question_asked")).toHaveLength(1);
  });

  test("a file that the prompt mentions with @ is not put before the model", async () => {
    const { start, model, workspace } = await openBench(realClaude, taskScript(DONE));
    await writeFile(join(workspace, "secret.txt"), "the-secret-content");
    expect((await (await start({ prompt: "TASK: read @secret.txt and @/etc/hostname" })).conclude()).verdict).toEqual({ ok: true });
    expect(model.journal[0]?.body).not.toContain("the-secret-content");
  });

  test("its hooks tell what it does: sessions, each use of a tool with its input and result, failures, sub-agents", async () => {
    const fails: ModelStep = { calls: [{ kind: "run", command: "exit 3" }] };
    const ask: ModelStep = {
      calls: [{ kind: "tool", tool: "Task", input: { description: "Look", prompt: "SUB: look", subagent_type: "general-purpose" } }],
    };
    const script = { scenarios: [{ when: "SUB:", steps: [DONE] }, ...taskScript(WRITE, fails, ask, DONE).scenarios] };
    const bench = await openBench(realClaude, script);
    expect((await (await bench.start({ prompt: PROMPT, reportsHooks: true })).conclude()).verdict).toEqual({ ok: true });
    const told = await toldHooks(bench);
    expect(outlineOf(told)).toEqual([
      "session SessionStart",
      "session UserPromptSubmit",
      "tool PostToolUse Write",
      "error PostToolUseFailure Bash",
      "session SubagentStart",
      "session SubagentStop",
      "tool PostToolUse Agent",
      "session Stop",
      "session SessionEnd",
    ]);
    expect(told[2]?.detail).toMatchObject({
      tool_input: { file_path: expect.any(String), content: expect.any(String) },
      tool_response: {},
    });
  });

  test("settings that the person names in the agent's arguments count", async () => {
    const { start, workspace, folder } = await openBench(realClaude, taskScript({ calls: [{ kind: "run", command: "env > seen" }] }, DONE));
    const settings = join(folder, "settings.json");
    await writeFile(settings, JSON.stringify({ env: { NAMED: "yes" } }));
    expect((await (await start({ prompt: PROMPT, args: [`--settings=${settings}`] })).conclude()).verdict).toEqual({ ok: true });
    expect(await readFile(join(workspace, "seen"), "utf8")).toContain("NAMED=yes\n");
  });

  test("holds itself to a budget, which is of the run alone also in a session that is gone on with", async () => {
    const look: ModelStep = { calls: [{ kind: "run", command: "echo hi" }] };
    const { start } = await openBench(realClaude, taskScript(WRITE, look, look, look, DONE));
    const first = await start({ prompt: PROMPT, budgetUsd: 0.008 });
    const message = expect.stringContaining("$0.008");
    expect((await first.conclude()).verdict).toEqual({ ok: false, reason: "budget", message, retryAt: null });
    expect(costOf(first)).toBe(10_000);
    const second = await start({ prompt: PROMPT, budgetUsd: 0.012, sessionId: sessionOf(first) });
    expect((await second.conclude()).verdict).toMatchObject({ ok: false, reason: "budget" });
    expect(costOf(second)).toBe(15_000);
  });

  test("a prompt that is a slash command is no success", async () => {
    const { start, model } = await openBench(realClaude, taskScript(DONE));
    expect((await (await start({ prompt: "/compact TASK:" })).conclude()).verdict).toMatchObject({ ok: false, reason: "agent_error" });
    expect(model.journal).toEqual([]);
  });

  // In its namespace it is always root.
  test("may do everything as root only in a sandbox, and says so", async () => {
    const { start } = await openBench(realClaude, taskScript({ calls: [{ kind: "write", path: "../outside.txt", content: "x" }] }, DONE));
    const refused = await start({ prompt: PROMPT, permissions: "all" });
    expect((await refused.conclude()).verdict).toMatchObject({ ok: false, message: expect.stringContaining("root") });
    const run = await start({ prompt: PROMPT, permissions: "all", env: { IS_SANDBOX: "1" } });
    expect((await run.conclude()).verdict).toEqual({ ok: true });
    expect(run.events.some(({ type }) => type === "question_asked")).toBe(false);
  });
});

describe.skipIf(!needs("claude", "network-namespace").ok)("the login of Claude Code", () => {
  const login = {
    claudeAiOauth: {
      accessToken: "dummy-access",
      refreshToken: "dummy-refresh",
      expiresAt: 4_000_000_000_000,
      scopes: ["user:inference"],
      subscriptionType: "max",
    },
  };

  async function logIn({ home }: AgentBench, folder = ".claude"): Promise<string> {
    await mkdir(join(home, folder));
    await writeFile(join(home, folder, ".credentials.json"), JSON.stringify(login), { mode: 0o600 });
    return join(home, folder);
  }

  test("is used where the person has it, and nothing else is written there", async () => {
    const bench = await openBench(realClaude, taskScript(DONE));
    const folder = await logIn(bench);
    expect((await (await bench.start({ prompt: PROMPT, env: { ANTHROPIC_API_KEY: "" } })).conclude()).verdict).toEqual({ ok: true });
    expect(bench.model.journal[0]?.headers.authorization).toBe("Bearer dummy-access");
    expect(await readdir(folder)).toEqual([".credentials.json"]);
  });

  test("is found where CLAUDE_CONFIG_DIR says", async () => {
    const bench = await openBench(realClaude, taskScript(DONE));
    const folder = await logIn(bench, "elsewhere");
    const run = await bench.start({ prompt: PROMPT, env: { ANTHROPIC_API_KEY: "", CLAUDE_CONFIG_DIR: folder } });
    expect((await run.conclude()).verdict).toEqual({ ok: true });
    expect(bench.model.journal[0]?.headers.authorization).toBe("Bearer dummy-access");
  });

  test("may be a token in the environment", async () => {
    const { start, model } = await openBench(realClaude, taskScript(DONE));
    const run = await start({ prompt: PROMPT, env: { ANTHROPIC_API_KEY: "", CLAUDE_CODE_OAUTH_TOKEN: "dummy-token" } });
    expect((await run.conclude()).verdict).toEqual({ ok: true });
    expect(model.journal[0]?.headers.authorization).toBe("Bearer dummy-token");
  });

  test("missing, the run has failed as auth", async () => {
    const { start, model } = await openBench(realClaude, taskScript(DONE));
    const run = await start({ prompt: PROMPT, env: { ANTHROPIC_API_KEY: "" } });
    expect((await run.conclude()).verdict).toMatchObject({ ok: false, reason: "auth" });
    expect(model.journal).toEqual([]);
  });

  test.each(["five_hour", "seven_day"])("at its limit (%s), the run says when it goes on", async (claim) => {
    const resetsAt = 1_900_000_000;
    const headers = {
      "anthropic-ratelimit-unified-status": "rejected",
      "anthropic-ratelimit-unified-representative-claim": claim,
      "anthropic-ratelimit-unified-reset": `${resetsAt}`,
    };
    const bench = await openBench(realClaude, taskScript({ ...DONE, trouble: { kind: "error", status: 429, headers } }));
    await logIn(bench);
    const run = await bench.start({ prompt: PROMPT, env: { ANTHROPIC_API_KEY: "" } });
    expect((await run.conclude()).verdict).toEqual({
      ok: false,
      reason: "usage_limit",
      message: expect.stringContaining("limit"),
      retryAt: resetsAt * 1000,
    });
  });
});

describe("detecting Claude Code", () => {
  const { signal } = new AbortController();
  const agent = AgentConfig.parse({ driver: "claude" });

  test.skipIf(!needs("claude", "network-namespace").ok)("finds the program, its version and a key", async () => {
    const bench = await openBench(realClaude, taskScript());
    const { agent: real, env, path } = bench.request({ prompt: PROMPT });
    expect(await driver.detect(real, { ...env, PATH: path }, signal)).toEqual({
      found: true,
      program: expect.stringMatching(/\/nsenter$/u),
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/u),
      loggedIn: true,
    });
    expect(real.command.at(-1)).toBe(CLAUDE);
  });

  test("says what to do when there is none", async () => {
    expect(await driver.detect(agent, { PATH: "/nowhere" }, signal)).toEqual({
      found: false,
      message: expect.stringContaining("Install Claude Code"),
    });
  });

  test.each([
    ["echo '2.0.14 (Claude Code)'", "2.1.318 or newer is needed"],
    ["echo 'claude 1.0'", "does not answer as Claude Code does"],
    ["exit 1", "does not answer as Claude Code does"],
  ])("refuses a program that does: %s", async (does, problem) => {
    const { home } = await openBench(
      { ...realClaude, open: async () => ({ agent, env: {}, async [Symbol.asyncDispose]() {} }) },
      taskScript(),
    );
    await writeFile(join(home, "claude"), `#!/bin/sh\n${does}\n`);
    await chmod(join(home, "claude"), 0o755);
    const found = await driver.detect(agent, { PATH: `${home}:/usr/bin:/bin` }, signal);
    expect(found).toEqual({ found: false, message: expect.stringContaining(problem) });
  });
});

function sessionOf({ events }: AgentRun): string | null {
  const started = events.find((event) => event.type === "session_started");
  return started?.sessionId ?? null;
}

/** Millionths of a dollar. */
function costOf({ events }: AgentRun): number | null | undefined {
  return events.findLast((event) => event.type === "usage")?.usage.costUsdMicros;
}
