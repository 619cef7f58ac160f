import { describe, expect, test } from "vitest";
import { replay as replayOf } from "../../test/support/recorded.ts";
import type { AgentEvent } from "./driver.ts";
import { GeminiReader } from "./gemini-output.ts";

const replay = (situation: string) => replayOf("gemini", new GeminiReader(), situation);
const started: AgentEvent = { type: "session_started", sessionId: "00000000-0000-4000-8000-000000000001", model: "gemini-2.5-pro" };
const usage = (turns: number): AgentEvent => ({
  type: "usage",
  usage: { inputTokens: turns * 1000, outputTokens: turns * 50, cacheReadTokens: 0, costUsdMicros: null },
});
const done: AgentEvent = { type: "message", text: "Done." };
const ended: AgentEvent = { type: "turn_ended", verdict: { ok: true }, report: "Done.", stdin: null };
const id = expect.any(String) as string;

describe("a recorded run of Gemini CLI", () => {
  test("that worked is told event by event", () => {
    const written = JSON.stringify({ file_path: "a.txt", content: "hello\n" });
    const command = JSON.stringify({ command: "cat a.txt", description: "Run a command" });
    expect(replay("worked")).toMatchObject({
      events: [
        started,
        { type: "message", text: "I write the file." },
        { type: "tool_called", id, tool: "write_file", input: written },
        { type: "tool_finished", id, tool: "write_file", failed: false },
        { type: "tool_called", id, tool: "run_shell_command", input: command },
        { type: "tool_finished", id, tool: "run_shell_command", failed: false },
        done,
        usage(3),
        ended,
      ],
      end: { exitCode: 0 },
      verdict: { ok: true },
      report: "Done.",
    });
  });

  test("that resumed a session counts what it used itself", () => {
    expect(replay("resumed").events).toEqual([started, done, usage(1), ended]);
  });

  test("whose tool failed tells it", () => {
    const { events, verdict } = replay("failing-tool");
    expect(events).toContainEqual({ type: "tool_finished", id, tool: "write_file", failed: true });
    expect(verdict).toEqual({ ok: true });
  });

  test.each([
    ["outage", "overloaded", '"code":529'],
    ["cut-off", "overloaded", "terminated"],
    ["key-refused", "auth", '"code":401'],
    ["usage-limit", "usage_limit", "You exceeded your current quota"],
    ["model-unknown", "agent_error", "Gemini CLI failed"],
    ["session-missing", "agent_error", "No previous sessions found"],
    ["terminated", "agent_error", "Gemini CLI ended with exit code 0 and gave no result."],
  ])("in the situation %s has failed as %s", (situation, reason, message) => {
    expect(replay(situation).verdict).toEqual({ ok: false, reason, message: expect.stringContaining(message) as string, retryAt: null });
  });
});

test("a message that comes in pieces is told once, when it is whole", () => {
  const reader = new GeminiReader();
  const piece = (content: string) => JSON.stringify({ type: "message", role: "assistant", content, delta: true });
  const lines = [piece("One "), piece("word."), JSON.stringify({ type: "result", status: "success" })];
  expect(lines.flatMap((line) => reader.read(line)).filter(({ type }) => type === "message")).toEqual([
    { type: "message", text: "One word." },
  ]);
  expect(reader.conclude({ exitCode: 0, stderr: "" })).toEqual({ verdict: { ok: true }, report: "One word." });
});

test("what it said last is the report, also when it was cut off there", () => {
  const reader = new GeminiReader();
  reader.read(JSON.stringify({ type: "message", role: "assistant", content: "Half a" }));
  expect(reader.conclude({ exitCode: 0, stderr: "" })).toMatchObject({ verdict: { ok: false }, report: "Half a" });
});
