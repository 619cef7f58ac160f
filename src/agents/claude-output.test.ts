import { describe, expect, test } from "vitest";
import { replay as replayOf } from "../../test/support/recorded.ts";
import { ClaudeReader } from "./claude-output.ts";
import type { AgentEvent } from "./driver.ts";

const replay = (situation: string) => replayOf("claude", new ClaudeReader(), situation);
const SESSION = "00000000-0000-4000-8000-000000000001";
const END = '{"type":"control_request","request_id":"drover-end","request":{"subtype":"end_session"}}\n';
const started: AgentEvent = { type: "session_started", sessionId: SESSION, model: "claude-opus-5-5" };
const usage = (turns: number): AgentEvent => ({
  type: "usage",
  usage: { inputTokens: turns * 1000, outputTokens: turns * 50, cacheReadTokens: 0, costUsdMicros: turns * 5000 },
});
const ended = (verdict: Extract<AgentEvent, { type: "turn_ended" }>["verdict"], report: string): AgentEvent => ({
  type: "turn_ended",
  verdict,
  report,
  stdin: END,
});
const failed = (
  reason: "agent_error" | "auth" | "overloaded" | "usage_limit" | "permission_denied",
  message: string,
  retryAt: number | null = null,
) => ({ ok: false, reason, message, retryAt }) as const;
const writeCalled: AgentEvent = {
  type: "tool_called",
  id: "toolu_scripted_1_0",
  tool: "Write",
  input: '{"file_path":"a.txt","content":"hello\\n"}',
};
const writeFinished = (wasRefused: boolean): AgentEvent => ({
  type: "tool_finished",
  id: "toolu_scripted_1_0",
  tool: "Write",
  failed: wasRefused,
});
const writeAsked: AgentEvent = {
  type: "question_asked",
  id: expect.stringMatching(/^[0-9a-f-]{36}$/u) as string,
  tool: "Write",
  input: '{"file_path":"/workspace/a.txt","content":"hello\\n"}',
};
const says = (text: string): AgentEvent => ({ type: "message", text });

describe("a recorded run of Claude Code", () => {
  test("that worked is told event by event", () => {
    expect(replay("worked")).toEqual({
      events: [
        started,
        says("I write the file."),
        writeCalled,
        writeFinished(false),
        { type: "tool_called", id: "toolu_scripted_2_0", tool: "Bash", input: '{"command":"cat a.txt","description":"Run a command"}' },
        { type: "tool_finished", id: "toolu_scripted_2_0", tool: "Bash", failed: false },
        says("Done."),
        usage(3),
        ended({ ok: true }, "Done."),
      ],
      end: { type: "recorded_end", exitCode: 0, stderr: "" },
      verdict: { ok: true },
      report: "Done.",
    });
  });

  test("that resumed a session counts what it used itself, not what the session did", () => {
    expect(replay("resumed").events).toEqual([started, says("Done."), usage(1), ended({ ok: true }, "Done.")]);
  });

  test("that was allowed a tool by a person", () => {
    const { events } = replay("allowed");
    expect(events.slice(2)).toEqual([writeCalled, writeAsked, writeFinished(false), says("Done."), usage(2), ended({ ok: true }, "Done.")]);
  });

  test("that stopped where a tool was denied has failed and names the tool", () => {
    const verdict = failed("permission_denied", "Claude Code was not allowed to use Write and stopped there.");
    expect(replay("denied")).toMatchObject({
      events: [
        started,
        says("I write the file."),
        writeCalled,
        writeAsked,
        writeFinished(true),
        says("Done."),
        usage(2),
        ended(verdict, "Done."),
      ],
      end: { exitCode: 0 },
      verdict,
    });
  });

  test("that used a sub-agent tells its tools, not its words, and counts its tokens", () => {
    const { events, verdict } = replay("sub-agent");
    expect(events.map((event) => (event.type === "tool_called" ? event.tool : event.type))).toEqual([
      "session_started",
      "Task",
      "Bash",
      "tool_finished",
      "tool_finished",
      "message",
      "usage",
      "turn_ended",
    ]);
    expect(events.at(-2)).toEqual(usage(4));
    expect(verdict).toEqual({ ok: true });
  });

  test("that met an overload tells that it tries again", () => {
    const { events, verdict } = replay("overloaded");
    expect(events[1]).toEqual({
      type: "retrying",
      attempt: 1,
      message: expect.stringMatching(/^overloaded \(529\); next try in 0\.\d s, 1 at most$/u),
      status: 529,
    });
    expect(verdict).toEqual({ ok: true });
  });

  const failures: [situation: string, verdict: ReturnType<typeof failed>][] = [
    ["outage", failed("overloaded", expect.stringContaining("529") as string)],
    ["cut-off", failed("overloaded", expect.stringContaining("Connection to the API was lost") as string)],
    ["key-refused", failed("auth", "Failed to authenticate. API Error: 401 scripted error")],
    ["not-logged-in", failed("auth", "Not logged in · Please run /login")],
    ["model-unknown", failed("agent_error", expect.stringContaining("issue with the selected model") as string)],
    ["usage-limit", failed("usage_limit", expect.stringContaining("You've hit your 5-hour limit") as string, 1_900_000_000_000)],
    ["interrupted", failed("agent_error", expect.stringContaining("aborted_tools") as string)],
    ["session-missing", failed("agent_error", expect.stringContaining("No conversation found") as string)],
    ["slash-command", failed("agent_error", expect.stringContaining("without working on the prompt") as string)],
    ["terminated", failed("agent_error", "Claude Code was ended by a signal and gave no result.")],
  ];
  test.each(failures)("in the situation %s has failed", (situation, verdict) => {
    expect(replay(situation).verdict).toEqual(verdict);
  });
});

const result = (more: object) =>
  JSON.stringify({ type: "result", subtype: "success", is_error: false, terminal_reason: "completed", result: "Fine.", ...more });
const conclude = (lines: readonly string[], end: { exitCode: number | null; stderr: string }) => {
  const reader = new ClaudeReader();
  for (const line of lines) reader.read(line);
  return reader.conclude(end);
};

describe("success", () => {
  test("needs a result: exit code 0 alone is none", () => {
    const init = JSON.stringify({ type: "system", subtype: "init", session_id: "s", model: "m" });
    expect(conclude([init], { exitCode: 0, stderr: "" }).verdict).toEqual(
      failed("agent_error", "Claude Code ended with exit code 0 and gave no result."),
    );
  });

  test("needs exit code 0: a result alone is none", () => {
    expect(conclude([result({})], { exitCode: 0, stderr: "" })).toEqual({ verdict: { ok: true }, report: "Fine." });
    expect(conclude([result({})], { exitCode: 3, stderr: "" })).toEqual({
      verdict: failed("agent_error", "Claude Code reported success but ended with exit code 3."),
      report: "Fine.",
    });
    expect(conclude([result({})], { exitCode: null, stderr: "" }).verdict).toMatchObject({ ok: false });
  });

  test.each([{ is_error: true }, { subtype: "error_max_turns" }, { terminal_reason: "max_turns" }, { terminal_reason: undefined }])(
    "is not a result with %o",
    (more) => {
      expect(conclude([result(more)], { exitCode: 0, stderr: "" }).verdict).toMatchObject({ ok: false, reason: "agent_error" });
    },
  );
});

describe("output that is not as expected", () => {
  test("is skipped and counted, and its last error is told", () => {
    const lines = ['{"type":"result","subty', "Segmentation fault", '{"type":"assistant"}', "", "[]"];
    expect(conclude(lines, { exitCode: 1, stderr: "a\nError: no space left\n    at write\n" }).verdict).toEqual(
      failed(
        "agent_error",
        "Claude Code ended with exit code 1 and gave no result. 4 lines of its output could not be read. It said: Error: no space left",
      ),
    );
  });

  test("of a type that we do not know is neither told nor counted", () => {
    const reader = new ClaudeReader();
    expect(reader.read('{"type":"something_new","data":1}')).toEqual([]);
    expect(reader.conclude({ exitCode: 0, stderr: "" }).verdict).not.toMatchObject({ message: expect.stringContaining("lines") });
  });

  test("without usage by model still counts the main conversation, at a cost that nobody told", () => {
    const usage = { input_tokens: 10, output_tokens: 5, cache_creation_input_tokens: 2, cache_read_input_tokens: 7 };
    const [event] = new ClaudeReader().read(result({ usage, total_cost_usd: 1 }));
    expect(event).toEqual({
      type: "usage",
      usage: { inputTokens: 12, outputTokens: 5, cacheReadTokens: 7, costUsdMicros: null },
    });
  });
});

test("a usage limit that an older version tells in words only has its time too", () => {
  const reader = new ClaudeReader();
  reader.read(
    JSON.stringify({
      type: "assistant",
      message: { content: [{ type: "text", text: "You've hit your limit · resets 3pm (UTC)" }] },
      error: "rate_limit",
      timestamp: "2026-11-20T12:00:00.000Z",
    }),
  );
  reader.read(result({ is_error: true, terminal_reason: "api_error", result: "You've hit your limit · resets 3pm (UTC)" }));
  expect(reader.conclude({ exitCode: 1, stderr: "" }).verdict).toEqual(
    failed("usage_limit", "You've hit your limit · resets 3pm (UTC)", Date.parse("2026-11-20T15:00:00Z")),
  );
});

test("reading a run again from the start says the same", () => {
  expect(replay("worked")).toEqual(replay("worked"));
});
