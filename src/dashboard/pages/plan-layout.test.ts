import { expect, test } from "vitest";
import { asTrees, layOut, type Branching, type GraphTask } from "./plan-layout.ts";

const task = (id: number, more: { parent?: number; needs?: number[] } = {}): GraphTask => ({
  id: `task_${id}`,
  key: `api#${id}`,
  title: "T",
  status: "queued",
  reason: null,
  parentId: more.parent === undefined ? null : `task_${more.parent}`,
  dependsOn: (more.needs ?? []).map((need) => `task_${need}` as const),
});

test("children stand under their parents, and one whose parent is not there at the top", () => {
  const keys = (trees: readonly Branching[]): unknown => trees.map(({ task: { key }, children }) => [key, keys(children)]);
  expect(keys(asTrees([task(1), task(2, { parent: 1 }), task(3, { parent: 2 }), task(4, { parent: 9 })]))).toEqual([
    ["api#1", [["api#2", [["api#3", []]]]]],
    ["api#4", []],
  ]);
});

test("a task stands right of all that it waits for, and what is tied to nothing is left out", () => {
  const placed = layOut([task(1), task(2, { needs: [1] }), task(3, { needs: [2, 1] }), task(4, { needs: [1, 77] }), task(5)]);
  expect(placed.map(({ task: { key }, column, row }) => [key, column, row])).toEqual([
    ["api#1", 0, 0],
    ["api#2", 1, 0],
    ["api#3", 2, 0],
    ["api#4", 1, 1],
  ]);
});

test("a circle ends", () => {
  expect(layOut([task(1, { needs: [2] }), task(2, { needs: [1] })])).toHaveLength(2);
});
