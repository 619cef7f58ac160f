import { describe, expect, test } from "vitest";
import { AppError } from "../base/errors.ts";
import { AgentConfig } from "../contract/config.ts";
import { commandDriver } from "./command.ts";

const agent = AgentConfig.parse({
  driver: "command",
  command: ["my-agent", "--fast"],
  args: ["--more"],
  model: "m-1",
  effort: "high",
  permissions: "ask",
});
const request = {
  agent,
  prompt: "Do it.",
  workspace: "/workspace",
  configDirectory: "/task/config",
  sessionId: "s-1",
  hooks: { spool: "/task/config/hooks/run_1.jsonl", url: "http://127.0.0.1:3003/api/hooks/run_1", token: "t-1" },
  toolServer: null,
  tools: null,
  sandbox: null,
  path: "/bin",
  env: { LANG: "C" },
};

test("a launch hands over the prompt by file and by line, and the rest by environment", () => {
  expect(commandDriver.launch(request)).toEqual({
    argv: ["my-agent", "--fast", "--more"],
    env: {
      LANG: "C",
      PATH: "/bin",
      DROVER_PROMPT_FILE: "/task/config/prompt.md",
      DROVER_CONFIG_DIRECTORY: "/task/config",
      DROVER_PERMISSIONS: "ask",
      DROVER_HOOK_SPOOL: "/task/config/hooks/run_1.jsonl",
      DROVER_HOOK_URL: "http://127.0.0.1:3003/api/hooks/run_1",
      DROVER_HOOK_TOKEN: "t-1",
      DROVER_MODEL: "m-1",
      DROVER_EFFORT: "high",
      DROVER_SESSION_ID: "s-1",
    },
    files: { "/task/config/prompt.md": "Do it." },
    stdin: '{"type":"prompt","prompt":"Do it."}\n',
  });
});

test("an agent without a command is refused", () => {
  expect(() => commandDriver.launch({ ...request, agent: { ...agent, command: [] } })).toThrow(AppError);
});

test("a program that is not there is not found, one that is there is", async () => {
  const { signal } = new AbortController();
  const lookFor = (command: string[]) => commandDriver.detect({ ...agent, command }, { PATH: "/nowhere:relative:/bin" }, signal);
  expect(await lookFor(["my-agent"])).toEqual({
    found: false,
    message: "There is no program my-agent. Install it or correct the agent's command.",
  });
  expect(await lookFor(["sh", "-c", ":"])).toEqual({ found: true, program: "/bin/sh", version: "unknown", loggedIn: null });
});

const OK = '{"type":"turn_ended","verdict":{"ok":true},"report":"Done."}';
function run(lines: readonly string[], end: { exitCode: number | null; stderr: string } = { exitCode: 0, stderr: "" }) {
  const reader = commandDriver.openReader();
  const events = lines.flatMap((line) => reader.read(line));
  return { events, ...reader.conclude(end) };
}
const failed = (message: string) => ({ ok: false, reason: "agent_error", message, retryAt: null });

describe("success", () => {
  test("is turn_ended and exit code 0", () => {
    expect(run([OK])).toMatchObject({ verdict: { ok: true }, report: "Done." });
  });

  test("is not exit code 0 alone, whatever was printed", () => {
    expect(run(["All good!", "turn_ended"])).toMatchObject({
      verdict: failed("The agent's program ended with exit code 0 without a `turn_ended` line."),
      report: "turn_ended",
    });
  });

  test("is not turn_ended alone", () => {
    expect(run([OK], { exitCode: 2, stderr: "cannot save\n" }).verdict).toEqual(
      failed("The agent's program reported success but ended with exit code 2. It said: cannot save"),
    );
    expect(run([OK], { exitCode: null, stderr: "" }).verdict).toEqual(
      failed("The agent's program reported success but was ended by a signal."),
    );
  });
});

test("a failure that the program tells is taken as told", () => {
  const line = '{"type":"turn_ended","verdict":{"ok":false,"reason":"usage_limit","message":"No more today.","retryAt":1900000000000}}';
  expect(run([line], { exitCode: 1, stderr: "" }).verdict).toEqual({
    ok: false,
    reason: "usage_limit",
    message: "No more today.",
    retryAt: 1_900_000_000_000,
  });
});

test("what is not one of our lines is a message, and an empty line is none", () => {
  expect(run(["hello", "", '{"type":"unheard_of"}', "[1]", '{"no":"type"}']).events).toEqual(
    ["hello", '{"type":"unheard_of"}', "[1]", '{"no":"type"}'].map((text) => ({ type: "message", text })),
  );
});

test("a line of ours with a mistake in it is a message, and the mistake is told at the end", () => {
  const line = '{"type":"turn_ended","verdict":"ok"}';
  const { events, verdict } = run([line]);
  expect(events).toEqual([{ type: "message", text: line }]);
  expect(verdict).toMatchObject({ ok: false, message: expect.stringContaining("which is not as it must be") });
});

test("usage may be told in part", () => {
  expect(run(['{"type":"usage","usage":{"inputTokens":5}}']).events).toEqual([
    { type: "usage", usage: { inputTokens: 5, outputTokens: 0, cacheReadTokens: 0, costUsdMicros: null } },
  ]);
});

test("an answer to a question is a line of its own", () => {
  expect(commandDriver.answer({ id: "7", input: "{}" }, { allow: false, message: "no\u2028more" })).toBe(
    '{"type":"answer","id":"7","allow":false,"message":"no\\u2028more"}\n',
  );
});
