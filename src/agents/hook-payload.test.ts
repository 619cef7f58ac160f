import { expect, test } from "vitest";
import { readHookPayload } from "./hook-payload.ts";

const read = (payload: unknown) => readHookPayload(payload, (text) => text.replaceAll("secret", "[redacted]"));

test.each([
  ["PostToolUse", "tool"],
  ["BeforeTool", "tool"],
  ["tool.execute.after", "tool"],
  ["PostToolUseFailure", "error"],
  ["StopFailure", "error"],
  ["PermissionDenied", "error"],
  ["session.error", "error"],
  ["PermissionRequest", "state"],
  ["Notification", "state"],
  ["SessionStart", "session"],
  ["Stop", "session"],
  ["TaskCompleted", "session"],
  ["SubagentStop", "session"],
  ["SomethingNew", "session"],
])("%s is of the category %s", (name, category) => {
  expect(read({ hook_event_name: name })?.event).toMatchObject({ name, category, source: "agent" });
});

test("all that a hook says is kept, cleaned of secrets wherever they stand", () => {
  const payload = {
    hook_event_name: "PostToolUse",
    tool_name: "Write",
    tool_input: { file_path: "a.txt", lines: ["a secret", 2, null, true] },
    tool_response: { "secret key": 1 },
  };
  expect(read(payload)).toEqual({
    event: {
      source: "agent",
      category: "tool",
      name: "PostToolUse",
      tool: "Write",
      detail: { tool_input: { file_path: "a.txt", lines: ["a [redacted]", 2, null, true] }, tool_response: { "[redacted] key": 1 } },
    },
    waits: null,
    retries: null,
  });
});

test("OpenCode tells when it asks its provider again", () => {
  const status = { type: "retry", attempt: 2, message: "Overloaded, says secret", next: 1_796_063_129_275 };
  expect(read({ hook_event_name: "session.status", status })).toMatchObject({
    event: { category: "state", name: "session.status" },
    waits: null,
    retries: { attempt: 2, message: "Overloaded, says [redacted]" },
  });
  expect(read({ hook_event_name: "session.status", status: { type: "idle" } })?.retries).toBeNull();
});

test("very long values are cut, so that one can't hide the others or fill the disk", () => {
  const long = read({ hook_event_name: "PostToolUse", content: "x".repeat(100_000), path: "a" })?.event.detail;
  expect(long).toEqual({ content: expect.stringMatching(/^x{16384}… \(83616 more characters\)$/), path: "a" });
  const many = read({ hook_event_name: "PostToolUse", list: Array.from({ length: 100_000 }, () => "item") })?.event.detail;
  expect(JSON.stringify(many).length).toBeLessThan(40_000);
});

test.each([
  [{ hook_event_name: "PermissionRequest" }, "permission"],
  [{ hook_event_name: "Notification", notification_type: "permission_prompt" }, "permission"],
  [{ hook_event_name: "Notification", notification_type: "idle_prompt" }, "answer"],
  [{ hook_event_name: "Notification", notification_type: "auth_success" }, null],
])("%o waits for %s", (payload, waits) => {
  expect(read(payload)?.waits).toBe(waits);
});

test.each([[undefined], ["Stop"], [[]], [{}], [{ hook_event_name: "" }], [{ hook_event_name: "x".repeat(101) }]])(
  "%o is no hook",
  (payload) => {
    expect(read(payload)).toBeUndefined();
  },
);
