import { describe, expect, test } from "vitest";
import type { TaskGraph } from "../contract/routes.ts";
import { inOrder, toDot, toMermaid } from "./draw-graph.ts";

type GraphTask = TaskGraph["tasks"][number];

const id = (number: number): GraphTask["id"] => `task_019b7a2e-5c00-7000-8000-${String(number).padStart(12, "0")}`;

function task(number: number, dependsOn: number[] = [], change: Partial<GraphTask> = {}): GraphTask {
  const own = { id: id(number), key: `api#${number}`, title: `Task ${number}`, status: "queued", reason: null, parentId: null } as const;
  return { ...own, dependsOn: dependsOn.map(id), ...change };
}

/** 4 needs 2 and 3, which need 1; 5 is a part of 4 and needs one that is not there. */
const graph: TaskGraph = {
  omitted: 0,
  tasks: [task(4, [2, 3]), task(2, [1]), task(3, [1]), task(5, [9], { parentId: id(4) }), task(1, [], { status: "running" })],
};

const hostile = 'a"];\\"b <img> &lt; #quot; `x` --> t9\n} end \u202e%%';

test("tasks come behind what they depend on, else in the order of their making; a long chain is no problem", () => {
  expect(inOrder(graph).map(({ key }) => key)).toEqual(["api#1", "api#2", "api#3", "api#4", "api#5"]);
  const upwards = Array.from({ length: 1000 }, (_, index) => task(index + 1, index < 999 ? [index + 2] : []));
  expect(inOrder({ tasks: upwards, omitted: 0 })[0]?.key).toBe("api#1000");
});

test("for Graphviz", () => {
  expect(toDot(graph).join("\n")).toBe(`digraph tasks {
  rankdir=LR;
  node [shape=box];
  t1 [label="api#1 (running)\\nTask 1"];
  t2 [label="api#2 (queued)\\nTask 2"];
  t3 [label="api#3 (queued)\\nTask 3"];
  t4 [label="api#4 (queued)\\nTask 4"];
  t5 [label="api#5 (queued)\\nTask 5"];
  t1 -> t2;
  t1 -> t3;
  t2 -> t4;
  t3 -> t4;
  t4 -> t5 [style=dashed, arrowhead=none];
}`);
});

test("for Mermaid", () => {
  expect(toMermaid(graph).join("\n")).toBe(`flowchart LR
  t1["api#35;1 (running)<br/>Task 1"]
  t2["api#35;2 (queued)<br/>Task 2"]
  t3["api#35;3 (queued)<br/>Task 3"]
  t4["api#35;4 (queued)<br/>Task 4"]
  t5["api#35;5 (queued)<br/>Task 5"]
  t1 --> t2
  t1 --> t3
  t2 --> t4
  t3 --> t4
  t4 -.- t5`);
});

describe("a title is a label and nothing else", () => {
  const tasks = [task(1, [], { title: hostile })];
  const plain = 'a"];\\"b <img> &lt; #quot; `x` --> t9 } end %%';

  test("for Graphviz", () => {
    const line = toDot({ tasks, omitted: 0 })[3] ?? "";
    const label = /^ {2}t1 \[label="((?:[^"\\]|\\["\\n])*)"\];$/.exec(line)?.[1] ?? "";
    const read = label.replace(/\\(.)/g, (_, character: string) => (character === "n" ? "\n" : character)).replaceAll("&amp;", "&");
    expect(read).toBe(`api#1 (queued)\n${plain}`);
  });

  test("for Mermaid", () => {
    const line = toMermaid({ tasks, omitted: 0 })[1] ?? "";
    const label = /^ {2}t1\["api#35;1 \(queued\)<br\/>((?:[^"#&;<>\\`]|#\d+;)*)"\]$/.exec(line)?.[1] ?? "";
    expect(label.replace(/#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))).toBe(plain);
  });
});
