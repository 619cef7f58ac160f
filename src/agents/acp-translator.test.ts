import type { PermissionOption, RequestPermissionRequest } from "@agentclientprotocol/sdk";
import { describe, expect, test } from "vitest";
import { AcpTranslator, failureOf, type SaidLine } from "./acp-translator.ts";

function open(permissions: "ask" | "edit" | "all" = "edit") {
  const said: SaidLine[] = [];
  const translator = new AcpTranslator({
    permissions,
    workspace: "/workspace",
    say: (line) => Object.keys(line).length > 0 && void said.push(line),
  });
  return { said, translator };
}

const chunk = (text: string) => ({ sessionUpdate: "agent_message_chunk" as const, content: { type: "text" as const, text } });
const options: PermissionOption[] = [
  { optionId: "for-ever", name: "Always", kind: "allow_always" },
  { optionId: "now", name: "Yes", kind: "allow_once" },
  { optionId: "no", name: "No", kind: "reject_once" },
];
const request = (toolCall: Omit<RequestPermissionRequest["toolCall"], "toolCallId">): RequestPermissionRequest => ({
  sessionId: "s",
  toolCall: { toolCallId: "1", ...toolCall },
  options,
});

describe("a turn over the Agent Client Protocol", () => {
  test("is told in whole messages, with each tool once, and its end", () => {
    const { said, translator } = open();
    translator.update(chunk("An old message, loaded again."));
    translator.begin({ isNew: true });
    translator.update(chunk("I "));
    translator.update(chunk("run it."));
    translator.update({ sessionUpdate: "tool_call", toolCallId: "1", title: "npm test", kind: "execute", status: "pending" });
    translator.update({ sessionUpdate: "tool_call_update", toolCallId: "1", rawInput: { command: "npm test" }, status: "in_progress" });
    translator.update({ sessionUpdate: "tool_call_update", toolCallId: "1", status: "completed" });
    translator.update({ sessionUpdate: "usage_update", used: 10, size: 100, cost: { amount: 0.25, currency: "USD" } });
    translator.update(chunk("Done."));
    translator.end({ stopReason: "end_turn", usage: { inputTokens: 7, outputTokens: 3, totalTokens: 10 } } as never);
    expect(said).toEqual([
      { type: "message", text: "I run it." },
      { type: "tool_called", id: "1", tool: "execute", input: { command: "npm test" } },
      { type: "tool_finished", id: "1", tool: "execute", failed: false },
      { type: "message", text: "Done." },
      { type: "usage", usage: { inputTokens: 7, outputTokens: 3, cacheReadTokens: 0, costUsdMicros: 250_000 } },
      { type: "turn_ended", verdict: { ok: true }, report: "Done." },
    ]);
  });

  test("that goes on with a session costs what the session costs more than before; a cost before that nobody told makes it unknown", () => {
    const cost = (amount: number) => ({ sessionUpdate: "usage_update" as const, used: 1, size: 2, cost: { amount, currency: "USD" } });
    const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
    const costs = [true, false].map((isTold) => {
      const { said, translator } = open();
      if (isTold) translator.update(cost(1));
      translator.begin({ isNew: false });
      translator.update(cost(1.5));
      translator.end({ stopReason: "end_turn", usage } as never);
      return said[0]?.["usage"];
    });
    const base = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0 };
    expect(costs).toEqual([
      { ...base, costUsdMicros: 500_000 },
      { ...base, costUsdMicros: null },
    ]);
  });

  test.each(["max_tokens", "max_turn_requests", "refusal", "cancelled"] as const)("that ends with %s has failed", (stopReason) => {
    const { said, translator } = open();
    translator.begin({ isNew: true });
    translator.end({ stopReason });
    expect(said).toEqual([
      { type: "turn_ended", verdict: { ok: false, reason: "agent_error", message: expect.stringContaining("The agent") }, report: "" },
    ]);
  });
});

describe("a permission", () => {
  const yes = { outcome: "selected", optionId: "now" };
  const cases: [permissions: "ask" | "edit" | "all", what: Parameters<typeof request>[0], decided: object | undefined][] = [
    ["edit", { kind: "edit", locations: [{ path: "/workspace/a.txt" }, { path: "b.txt" }] }, yes],
    ["edit", { kind: "edit", locations: [{ path: "/workspace/a.txt" }, { path: "/home/me/.bashrc" }] }, undefined],
    ["edit", { kind: "edit", locations: [{ path: "/workspace/../b.txt" }] }, undefined],
    ["edit", { kind: "edit" }, undefined],
    ["edit", { kind: "execute" }, yes],
    ["edit", { kind: "fetch" }, undefined],
    ["edit", { title: "something" }, undefined],
    ["ask", { kind: "read" }, undefined],
    ["all", { kind: "fetch" }, yes],
  ];
  test.each(cases)("under `%s` for %j is decided: %j", (permissions, what, decided) => {
    expect(open(permissions).translator.decide(request(what))).toEqual(decided);
  });

  test("that was refused makes the turn a failure, unless a tool works after it", () => {
    const ends = [false, true].map((worksLater) => {
      const { said, translator } = open("ask");
      translator.begin({ isNew: true });
      const asked = request({ name: "Write", kind: "edit" });
      translator.ask("q", asked);
      expect(translator.answered(asked, false)).toEqual({ outcome: "selected", optionId: "no" });
      if (worksLater) translator.update({ sessionUpdate: "tool_call", toolCallId: "2", title: "ls", status: "completed" });
      translator.end({ stopReason: "end_turn" });
      return said.at(-1)?.["verdict"];
    });
    const message = "The agent was not allowed to use Write and stopped there.";
    expect(ends).toEqual([{ ok: false, reason: "permission_denied", message }, { ok: true }]);
  });

  test("to an agent that offers no such option is told to be nobody's choice", () => {
    expect(open("all").translator.decide({ ...request({ kind: "edit" }), options: [] })).toEqual({ outcome: "cancelled" });
  });
});

const errors: [reason: string, error: Parameters<typeof failureOf>[0]][] = [
  ["auth", { code: -32000, message: "Authentication required" }],
  ["auth", { code: -32603, message: "Internal error", data: { details: "401 invalid x-api-key" } }],
  ["overloaded", { code: -32603, message: "Internal error", data: { details: "API Error: 529 Overloaded" } }],
  ["overloaded", { code: -32603, message: "You exceeded your current quota (429)" }],
  ["overloaded", { code: -32603, message: "terminated" }],
  ["usage_limit", { code: -32603, message: "You've hit your limit · resets Nov 27, 5pm (UTC)" }],
  ["network", { code: -32603, message: "fetch failed", data: "ENOTFOUND api.example.com" }],
  ["auth", { code: -32603, message: "Please log in first" }],
  ["agent_error", { code: -32602, message: "Invalid params" }],
  ["agent_error", { code: -32603, message: "The catalog index is damaged" }],
];
test.each(errors)("an agent's error is read as %s: %j", (reason, error) => {
  expect(failureOf(error)).toMatchObject({ reason, message: expect.stringContaining(error.message) });
});
