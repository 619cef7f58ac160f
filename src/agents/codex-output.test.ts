import { describe, expect, test } from "vitest";
import { replay as replayOf } from "../../test/support/recorded.ts";
import { CodexReader } from "./codex-output.ts";
import type { AgentEvent } from "./driver.ts";

const replay = (situation: string) => replayOf("codex", new CodexReader(), situation);
const SESSION = "00000000-0000-4000-8000-000000000001";
const started: AgentEvent = { type: "session_started", sessionId: SESSION, model: null };
const usage = (turns: number): AgentEvent => ({
  type: "usage",
  usage: { inputTokens: turns * 1000, outputTokens: turns * 50, cacheReadTokens: 0, costUsdMicros: null },
});
const done: AgentEvent[] = [{ type: "message", text: "Done." }];
const ended: AgentEvent = { type: "turn_ended", verdict: { ok: true }, report: "Done.", stdin: null };

describe("a recorded run of Codex", () => {
  test("that worked is told event by event", () => {
    const command = JSON.stringify({ command: "/bin/bash -c 'cat a.txt'" });
    const change = JSON.stringify({ changes: [{ path: "/workspace/a.txt", kind: "add" }] });
    expect(replay("worked")).toEqual({
      events: [
        started,
        { type: "message", text: "I write the file." },
        { type: "tool_called", id: "item_1", tool: "file_change", input: change },
        { type: "tool_finished", id: "item_1", tool: "file_change", failed: false },
        { type: "tool_called", id: "item_2", tool: "command_execution", input: command },
        { type: "tool_finished", id: "item_2", tool: "command_execution", failed: false },
        ...done,
        usage(3),
        ended,
      ],
      end: { type: "recorded_end", exitCode: 0, stderr: "" },
      verdict: { ok: true },
      report: "Done.",
    });
  });

  test("that resumed a session counts what it used itself, although Codex tells what the session did", () => {
    expect(replay("resumed").events).toEqual([started, ...done, usage(1), ended]);
  });

  test("whose command failed tells it", () => {
    const { events, verdict } = replay("failing-command");
    expect(events).toContainEqual({ type: "tool_finished", id: "item_0", tool: "command_execution", failed: true });
    expect(verdict).toEqual({ ok: true });
  });

  test("that met an overload tells that it tries again", () => {
    const { events, verdict } = replay("overloaded");
    expect(events[1]).toEqual({ type: "retrying", attempt: 1, message: expect.stringContaining("529") as string, status: 529 });
    expect(verdict).toEqual({ ok: true });
  });

  test.each([
    ["outage", "overloaded", "status 529"],
    ["cut-off", "overloaded", "stream disconnected"],
    ["key-refused", "auth", "401 Unauthorized"],
    ["model-unknown", "agent_error", "Codex failed"],
    ["session-missing", "agent_error", "no rollout found"],
    ["terminated", "agent_error", "Codex was ended by a signal and gave no result."],
  ])("in the situation %s has failed as %s", (situation, reason, message) => {
    expect(replay(situation).verdict).toEqual({ ok: false, reason, message: expect.stringContaining(message) as string, retryAt: null });
  });

  test("at its usage limit says when it goes on: at the end of the minute that Codex names", () => {
    expect(replay("usage-limit").verdict).toMatchObject({ reason: "usage_limit", retryAt: Date.parse("2030-03-17T17:47:00Z") });
  });
});

const begun = (at: string, zone: string) => JSON.stringify({ type: "drover.started", at: Date.parse(at) / 1000, zone });
const failed = (message: string) => JSON.stringify({ type: "turn.failed", error: { message } });
const judge = (...lines: string[]) => {
  const reader = new CodexReader();
  for (const line of lines) reader.read(line);
  return reader.conclude({ exitCode: 1, stderr: "" }).verdict;
};

test.each([
  ["2026-11-20T10:00:00Z", "+0000", "try again at 3:05 PM.", "2026-11-20T15:06:00Z"],
  ["2026-11-20T10:00:00Z", "+0100", "try again at 3:05 PM.", "2026-11-20T14:06:00Z"],
  ["2026-11-20T23:00:00Z", "-0330", "try again at 12:30 AM.", "2026-11-21T04:01:00Z"],
  ["2026-11-20T10:00:00Z", "+0000", "try again at 9:05 AM.", "2026-11-21T09:06:00Z"],
  ["2026-11-20T10:00:00Z", "+0530", "try again at Nov 27th, 2026 12:00 PM.", "2026-11-27T06:31:00Z"],
])("a limit told at %s in the zone %s with %j ends at %s", (at, zone, words, resetsAt) => {
  expect(judge(begun(at, zone), failed(`You’ve hit your usage limit. Upgrade or ${words}`))).toMatchObject({
    reason: "usage_limit",
    retryAt: Date.parse(resetsAt),
  });
});

test.each([
  ["Missing environment variable: `KEY`.", "auth"],
  ["Your access token could not be refreshed. Please log out and sign in again.", "auth"],
  ["Quota exceeded. Check your plan and billing details.", "usage_limit"],
  ["Selected model is at capacity. Please try a different model.", "overloaded"],
  ["exceeded retry limit, last status: 429 Too Many Requests", "overloaded"],
  ["unexpected status 400 Bad Request: no such tool", "agent_error"],
])("%s means %s", (message, reason) => {
  expect(judge(failed(message))).toMatchObject({ ok: false, reason });
});

test("a limit without words for its end, or without a start to count from, has none", () => {
  expect(judge(begun("2026-11-20T10:00:00Z", "+0000"), failed("You’ve hit your usage limit."))).toMatchObject({ retryAt: null });
  expect(judge(failed("You’ve hit your usage limit. Try again at 3:05 PM."))).toMatchObject({ reason: "usage_limit", retryAt: null });
});

test("cached tokens are no input, and what the session used before is taken off", () => {
  const tokens = (input: number, cached: number, output: number) => ({
    input_tokens: input,
    cached_input_tokens: cached,
    output_tokens: output,
  });
  const reader = new CodexReader();
  reader.read(JSON.stringify({ type: "event_msg", payload: { type: "token_count", info: { total_token_usage: tokens(1000, 400, 10) } } }));
  expect(reader.read(JSON.stringify({ type: "turn.completed", usage: tokens(5000, 3000, 60) }))[0]).toEqual({
    type: "usage",
    usage: { inputTokens: 1400, outputTokens: 50, cacheReadTokens: 2600, costUsdMicros: null },
  });
});

describe("success", () => {
  const completed = JSON.stringify({ type: "turn.completed" });

  test("needs the end of the turn and exit code 0", () => {
    const conclude = (lines: readonly string[], exitCode: number | null) => {
      const reader = new CodexReader();
      for (const line of lines) reader.read(line);
      return reader.conclude({ exitCode, stderr: "" }).verdict.ok;
    };
    expect([conclude([completed], 0), conclude([completed], 1), conclude([completed], null), conclude([], 0)]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});
