import { expect, test } from "vitest";
import { arrange, columnOf, priorityBetween, type Card } from "./board.ts";
import { TaskStatus } from "./task.ts";

const card = (change: Partial<Card>) =>
  ({ id: "task_1", status: "queued", branch: null, priority: 50, createdAt: 1, updatedAt: 1, ...change }) as Card;

test("every status has its column, and a result that is not merged yet is passing", () => {
  expect(TaskStatus.options.map((status) => [status, columnOf({ status, branch: null })])).toEqual([
    ["draft", "pending"],
    ["queued", "pending"],
    ["running", "in progress"],
    ["waiting", "pending"],
    ["blocked", "blocked"],
    ["succeeded", "complete"],
    ["failed", "blocked"],
    ["cancelled", "complete"],
  ]);
  expect((["open", "left", "merged", "closed"] as const).map((branch) => columnOf({ status: "succeeded", branch }))).toEqual([
    "passing",
    "passing",
    "complete",
    "complete",
  ]);
});

test("what waits is in the order of its turn, the rest by its last change", () => {
  const columns = arrange([
    card({ id: "task_1", priority: 50, createdAt: 2 }),
    card({ id: "task_2", priority: 50, createdAt: 1 }),
    card({ id: "task_3", priority: 90, createdAt: 3 }),
    card({ id: "task_4", status: "running", updatedAt: 1 }),
    card({ id: "task_5", status: "running", updatedAt: 2 }),
  ]);
  expect(columns.pending.map(({ id }) => id)).toEqual(["task_3", "task_2", "task_1"]);
  expect(columns["in progress"].map(({ id }) => id)).toEqual(["task_5", "task_4"]);
});

test("a place between two tasks is a priority within its limits", () => {
  expect([
    priorityBetween(60, 50),
    priorityBetween(51, 50),
    priorityBetween(50, 50),
    priorityBetween(undefined, 50),
    priorityBetween(undefined, 100),
    priorityBetween(50, undefined),
    priorityBetween(0, undefined),
    priorityBetween(undefined, undefined),
  ]).toEqual([55, 50, 50, 51, 100, 49, 0, 50]);
});
