import { expect, test } from "vitest";
import type { Task } from "../contract/task.ts";
import { drawFrame } from "./frame.ts";
import { initialState, type State } from "./state.ts";
import { update, type Action } from "./update.ts";

/** Only what the screen shows of a draft. */
const draft = (number: number) =>
  ({
    id: `task_01a22fa2-cb47-7743-83ca-24b04bd9592${number}`,
    key: `docs#${number}`,
    number,
    title: `Chapter ${number}`,
    status: "draft",
    reason: null,
    message: null,
    parentId: null,
    workflow: "issue",
    stage: "implement",
    priority: 50,
    finishedAt: null,
    startedAt: null,
    pullRequest: null,
    usage: { inputTokens: 0, outputTokens: 0, costUsdMicros: null },
  }) as unknown as Task;
const started = after(initialState({ theme: "plain", now: 0 }), { type: "read", reading: { tasks: [1, 7].map(draft) } });

test("the line that a person is at has a sign in front where there are no colours", () => {
  const rows = drawFrame(pressed(started, "4", "down")).filter((line) => line.includes(" draft  "));
  expect(rows.map((row) => row.slice(0, 8))).toEqual(["  docs#7", "› docs#1"]);
});

test("a search is of what people read: the digits of an id are not found", () => {
  const lines = drawFrame(pressed(started, "4", "/", "c", "h", "a", "p", " ", "7"));
  expect(lines[1]?.trimEnd()).toBe("all projects  all  /chap 7  1 of 2");
});

test("escape forgets the search, then the filter", () => {
  const narrowed = pressed(started, "4", "f", "/", "7", "enter");
  const second = (state: State) => drawFrame(state)[1]?.trimEnd();
  expect([narrowed, pressed(narrowed, "escape"), pressed(narrowed, "escape", "escape")].map(second)).toEqual([
    "all projects  open  /7  0 of 2",
    "all projects  open  0 of 2",
    "all projects  all  2",
  ]);
});

test("a long notice is read to its end, which says what to do", () => {
  const text = `${"It did not work for a reason. ".repeat(4)}Name another file.`;
  const lines = drawFrame(after(started, { type: "notice", text, isFailure: true }));
  expect(lines).toHaveLength(24);
  const said = lines.slice(-3, -1).map((line) => line.trimEnd());
  expect(said.join(" ")).toBe(text);
});

test("a notice without end leaves the screen its lines", () => {
  const lines = drawFrame(after(started, { type: "notice", text: "word ".repeat(500), isFailure: true }));
  expect([lines.length, lines.filter((line) => line.startsWith("word")).length, lines.at(-2)?.endsWith("…")]).toEqual([24, 3, true]);
});

test.each(["1", "2", "3", "4", "5"])("the help of view %s fits into 24 lines", (view) => {
  const lines = drawFrame(pressed(started, view, "escape", "?"));
  expect(lines).toHaveLength(24);
  expect(lines.join("\n")).toContain("the next theme");
});

test("the view that is shown is named in a narrow window too", () => {
  const [tabs, ...rest] = drawFrame(after(pressed(started, "5"), { type: "resized", columns: 40, rows: 10 }));
  expect(tabs).toMatch(/^ 1 {2}2 {2}3 {2}4 \[5 Records\] +connecting$/u);
  expect(rest).toHaveLength(9);
});

function pressed(state: State, ...keys: string[]): State {
  return after(state, ...keys.map((key): Action => ({ type: "key", key })));
}

function after(state: State, ...actions: Action[]): State {
  return actions.reduce((before, action) => update(before, action).state, state);
}
