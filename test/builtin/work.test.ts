import { expect, test } from "vitest";
import type { ModelStep } from "../../src/demo/model-script.ts";
import { failureOf, scriptedModel, workWith, type WorkOptions } from "../support/builtin-work.ts";

async function begin(steps: readonly ModelStep[], options: WorkOptions = {}) {
  const { model, journal } = await scriptedModel("anthropic", { scenarios: [{ when: "TASK:", steps }] });
  return { ...(await workWith(model, options)), journal };
}

const call = (tool: string, input: Readonly<Record<string, unknown>>): ModelStep => ({ calls: [{ kind: "tool", tool, input }] });

/** What the model was given back for the calls of its turns. */
function resultsIn(journal: readonly { readonly body: string }[]): unknown[] {
  const { messages } = JSON.parse(journal.at(-1)?.body ?? "{}") as { messages: { content: string | { type: string }[] }[] };
  return messages.flatMap(({ content }) => (typeof content === "string" ? [] : content.filter(({ type }) => type === "tool_result")));
}

test("a model that says at once that it is done is done", async () => {
  const { work, lines, journal } = await begin([{ text: "Nothing to do." }]);
  expect(await work("TASK: nothing.")).toBe("Nothing to do.");
  expect(lines.map(({ type }) => type)).toEqual(["usage", "message"]);
  expect(journal).toHaveLength(1);
});

test("a model that never stops is stopped, and what it used is told", async () => {
  const { work, lines, journal } = await begin(
    Array.from({ length: 9 }, () => call("echo", { text: "again" })),
    { limits: { callsMax: 3 } },
  );
  expect(await failureOf(work("TASK: loop."))).toEqual({
    message: "The model did not come to an end in 3 turns, which is builtin.callsMax.",
  });
  expect(journal).toHaveLength(3);
  const usage = { inputTokens: 3000, outputTokens: 150, cacheReadTokens: 0, costUsdMicros: null };
  expect(lines.findLast(({ type }) => type === "usage")).toEqual({ type: "usage", usage });
});

const mistakes: [what: string, tool: string, input: Readonly<Record<string, unknown>>, told: string][] = [
  ["a tool that there is not", "fly", {}, "There is no tool fly. There is: echo, fail."],
  [
    "an input that lacks something",
    "echo",
    {},
    "The input of echo is not as it must be:\n✖ Invalid input: expected string, received undefined\n  → at text",
  ],
  ["an input with too much", "echo", { text: "a", more: 1 }, 'The input of echo is not as it must be:\n✖ Unrecognized key: "more"'],
  ["a tool that fails", "fail", {}, "There is no such thing. Look for another."],
];
test.each(mistakes)("%s goes back to the model, and the work goes on", async (_what, tool, input, told) => {
  const { work, lines, journal } = await begin([call(tool, input), { text: "I saw." }]);
  expect(await work("TASK: err.")).toBe("I saw.");
  expect(resultsIn(journal)).toEqual([expect.objectContaining({ type: "tool_result", is_error: true, content: told })]);
  expect(lines.filter(({ type }) => type === "tool_finished")).toEqual([
    { type: "tool_finished", id: expect.any(String), tool, failed: true },
  ]);
});

test("several calls of one turn are done in their order, and each has its result", async () => {
  const calls = ["one", "two"].map((text) => ({ kind: "tool" as const, tool: "echo", input: { text } }));
  const { work, lines, journal } = await begin([{ calls }, { text: "Done." }]);
  await work("TASK: both.");
  expect(lines.map(({ type }) => type)).toEqual([
    "usage",
    "tool_called",
    "tool_finished",
    "tool_called",
    "tool_finished",
    "usage",
    "message",
  ]);
  expect(resultsIn(journal)).toEqual([
    expect.objectContaining({ content: "echo: one" }),
    expect.objectContaining({ content: "echo: two" }),
  ]);
});

test("a tool that the stage does not list is neither offered nor used, and the attempt is on record", async () => {
  const { work, audit, journal } = await begin([call("fail", { why: "x" }), { text: "Done." }], { toolBox: { allowed: ["echo"] } });
  expect(await work("TASK: try.")).toBe("Done.");
  const { tools } = JSON.parse(journal[0]?.body ?? "{}") as { tools: { name: string }[] };
  expect(tools.map(({ name }) => name)).toEqual(["echo"]);
  const message = "The tool fail is not allowed at this stage. Allowed are: echo.";
  expect(audit).toEqual([{ tool: "fail", subject: '{"why":"x"}', outcome: "refused", message }]);
  expect(resultsIn(journal)).toEqual([expect.objectContaining({ is_error: true, content: message })]);
});

test("a run begins with nothing but its prompt", async () => {
  const { model, journal } = await scriptedModel("anthropic", { scenarios: [{ when: "TASK:", steps: [{ text: "Done." }] }] });
  for (const prompt of ["TASK: the first.", "TASK: the second."]) await (await workWith(model)).work(prompt);
  const { messages } = JSON.parse(journal[1]?.body ?? "{}") as { messages: unknown[] };
  expect(messages).toHaveLength(1);
  expect(journal[1]?.body).not.toContain("the first");
});
