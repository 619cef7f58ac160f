import { expect, test } from "vitest";
import type { NewEvent } from "../contract/event.ts";
import type { HookCategory } from "../contract/hook.ts";
import { hookOfEvent } from "./hook-of-event.ts";

const called: NewEvent = { type: "run.tool_called", data: { tool: "Bash", input: "npm test" } };

test("an event of a run becomes a hook event of the daemon, with all it says", () => {
  expect(hookOfEvent(called, [])).toEqual({
    source: "daemon",
    category: "tool",
    name: "tool_called",
    tool: "Bash",
    detail: { tool: "Bash", input: "npm test" },
  });
});

test.each<[NewEvent, string | undefined]>([
  [{ type: "run.tool_finished", data: { tool: "Bash", failed: false } }, "tool"],
  [{ type: "run.tool_finished", data: { tool: "Bash", failed: true } }, "error"],
  [{ type: "run.agent_ended", data: { exitCode: 0, reason: "completed" } }, "session"],
  [{ type: "run.agent_ended", data: { exitCode: null, reason: "lost" } }, "error"],
  [{ type: "run.question_answered", data: { id: "q", allow: true, by: "cli" } }, "state"],
  [{ type: "run.question_answered", data: { id: "q", allow: false, by: "cli" } }, "error"],
  [{ type: "run.state_changed", data: { from: null, to: "stuck", confidence: 1, evidence: [] } }, "state"],
  [{ type: "run.message", data: { text: "hello" } }, undefined],
])("%o is of the category %s", (event, category) => {
  expect(hookOfEvent(event, [])?.category).toBe(category);
});

test("what the agent's own hooks tell is not told twice; its end and its states are ours to tell", () => {
  const failed: NewEvent = { type: "run.tool_finished", data: { tool: "Bash", failed: true } };
  const ended: NewEvent = { type: "run.agent_ended", data: { exitCode: 1, reason: "agent_error" } };
  const told = (announced: readonly HookCategory[]) => [called, failed, ended].map((event) => hookOfEvent(event, announced)?.name);
  expect(told(["tool", "session", "error"])).toEqual([undefined, undefined, "agent_ended"]);
  // It tells of each tool, but not which of them failed.
  expect(told(["tool", "session"])).toEqual([undefined, "tool_finished", "agent_ended"]);
  expect(told(["session"])).toEqual(["tool_called", "tool_finished", "agent_ended"]);
});
