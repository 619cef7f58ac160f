import { describe, expect, test } from "vitest";
import { replay as replayOf } from "../../test/support/recorded.ts";
import type { AgentEvent } from "./driver.ts";
import { OpencodeReader } from "./opencode-output.ts";

const replay = (situation: string) => replayOf("opencode", new OpencodeReader(), situation);
const started: AgentEvent = { type: "session_started", sessionId: expect.stringMatching(/^ses_/u) as string, model: null };
const usage = (turns: number): AgentEvent => ({
  type: "usage",
  usage: { inputTokens: turns * 1000, outputTokens: turns * 50, cacheReadTokens: 0, costUsdMicros: turns * 3750 },
});
const done: AgentEvent = { type: "message", text: "Done." };
const ended: AgentEvent = { type: "turn_ended", verdict: { ok: true }, report: "Done.", stdin: null };
const id = expect.any(String) as string;

describe("a recorded run of OpenCode", () => {
  test("that worked is told event by event, with the sum of its steps", () => {
    const written = JSON.stringify({ filePath: "a.txt", content: "hello\n" });
    const command = JSON.stringify({ command: "cat a.txt", description: "Run a command" });
    expect(replay("worked")).toEqual({
      events: [
        started,
        { type: "message", text: "I write the file." },
        { type: "tool_called", id, tool: "write", input: written },
        { type: "tool_finished", id, tool: "write", failed: false },
        usage(1),
        { type: "tool_called", id, tool: "bash", input: command },
        { type: "tool_finished", id, tool: "bash", failed: false },
        usage(2),
        done,
        usage(3),
        ended,
      ],
      end: { type: "recorded_end", exitCode: 0, stderr: "" },
      verdict: { ok: true },
      report: "Done.",
    });
  });

  test("that resumed a session counts what it used itself", () => {
    expect(replay("resumed").events).toEqual([started, done, usage(1), ended]);
  });

  test("whose tool failed tells it", () => {
    const { events, verdict } = replay("failing-tool");
    expect(events).toContainEqual({ type: "tool_finished", id, tool: "write", failed: true });
    expect(verdict).toEqual({ ok: true });
  });

  test.each([
    ["outage", "overloaded", "status 529"],
    ["cut-off", "overloaded", "Connection reset"],
    ["key-refused", "auth", "status 401"],
    ["usage-limit", "usage_limit", "usage limit for this month"],
    ["model-unknown", "agent_error", "status 404"],
    ["session-missing", "agent_error", "Session not found"],
    ["terminated", "agent_error", "OpenCode was ended by a signal and gave no result."],
  ])("in the situation %s has failed as %s", (situation, reason, message) => {
    expect(replay(situation).verdict).toEqual({ ok: false, reason, message: expect.stringContaining(message) as string, retryAt: null });
  });
});

const step = (more: object) =>
  JSON.stringify({ type: "step_finish", sessionID: "ses_1", part: { reason: "stop", tokens: { input: 10, output: 5 }, ...more } });
const conclude = (lines: readonly string[], exitCode: number | null = 0) => {
  const reader = new OpencodeReader();
  const events = lines.flatMap((line) => reader.read(line));
  return { events, ...reader.conclude({ exitCode, stderr: "" }) };
};

test("success needs a last step that stopped by itself, and exit code 0", () => {
  const begin = JSON.stringify({ type: "step_start", sessionID: "ses_1" });
  const cases = [[step({})], [step({ reason: "tool-calls" })], [step({ reason: "length" })], [step({}), begin], []];
  expect(cases.map((lines) => conclude(lines).verdict.ok)).toEqual([true, false, false, false, false]);
  expect(conclude([step({})], 1).verdict.ok).toBe(false);
});

test("a model without a price has no cost; reasoning is output, and what is written to the cache is input", () => {
  const tokens = { input: 10, output: 5, reasoning: 3, cache: { read: 7, write: 2 } };
  expect(conclude([step({ tokens, cost: 0 })]).events).toContainEqual({
    type: "usage",
    usage: { inputTokens: 12, outputTokens: 8, cacheReadTokens: 7, costUsdMicros: null },
  });
});
