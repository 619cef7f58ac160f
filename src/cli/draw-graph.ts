import { safeLine } from "../base/text.ts";
import type { TaskGraph } from "../contract/routes.ts";

type GraphTask = TaskGraph["tasks"][number];

const TITLE_MAX = 80;

/** The tasks in an order in which they can be done: each behind those that it depends on. */
export function inOrder({ tasks }: TaskGraph): GraphTask[] {
  const byId = new Map<string, GraphTask>(tasks.map((task) => [task.id, task]));
  const placed = new Set<GraphTask>();
  const place = (task: GraphTask) => {
    if (placed.has(task)) return;
    for (const needed of linked(byId, task.dependsOn)) place(needed);
    placed.add(task);
  };
  // Its own place in the order of their making, where nothing says otherwise.
  for (const task of tasks.toSorted((a, b) => (a.id < b.id ? -1 : 1))) place(task);
  return [...placed];
}

/** Those of `ids` that the graph holds. */
export function linked(byId: ReadonlyMap<string, GraphTask>, ids: readonly (string | null)[]): GraphTask[] {
  return ids.flatMap((id) => (id === null ? [] : (byId.get(id) ?? [])));
}

/** The graph in the language of Graphviz: https://graphviz.org/doc/info/lang.html */
export function toDot(graph: TaskGraph): string[] {
  const label = ({ key, status, title }: GraphTask) => `"${[`${key} (${status})`, shortTitle(title)].map(dotText).join("\\n")}"`;
  return [
    "digraph tasks {",
    "  rankdir=LR;",
    "  node [shape=box];",
    ...draw(graph, {
      task: (name, task) => `  ${name} [label=${label(task)}];`,
      dependency: (needed, dependent) => `  ${needed} -> ${dependent};`,
      child: (parent, child) => `  ${parent} -> ${child} [style=dashed, arrowhead=none];`,
    }),
    "}",
  ];
}

/** The graph in the language of Mermaid: https://mermaid.js.org/syntax/flowchart.html */
export function toMermaid(graph: TaskGraph): string[] {
  const label = ({ key, status, title }: GraphTask) => [`${key} (${status})`, shortTitle(title)].map(mermaidText).join("<br/>");
  return [
    "flowchart LR",
    ...draw(graph, {
      task: (name, task) => `  ${name}["${label(task)}"]`,
      dependency: (needed, dependent) => `  ${needed} --> ${dependent}`,
      child: (parent, child) => `  ${parent} -.- ${child}`,
    }),
  ];
}

interface Pen {
  task(name: string, task: GraphTask): string;
  dependency(needed: string, dependent: string): string;
  child(parent: string, child: string): string;
}

/** Each task under a name that means nothing in any language, then the lines between them. */
function draw(graph: TaskGraph, pen: Pen): string[] {
  const tasks = inOrder(graph);
  const byId = new Map<string, GraphTask>(tasks.map((task) => [task.id, task]));
  const names = new Map(tasks.map((task, index) => [task, `t${index + 1}`]));
  const nameOf = (task: GraphTask) => names.get(task) ?? "";
  return [
    ...tasks.map((task) => pen.task(nameOf(task), task)),
    ...tasks.flatMap((task) => linked(byId, task.dependsOn).map((needed) => pen.dependency(nameOf(needed), nameOf(task)))),
    ...tasks.flatMap((task) => linked(byId, [task.parentId]).map((parent) => pen.child(nameOf(parent), nameOf(task)))),
  ];
}

function shortTitle(title: string): string {
  return safeLine(title, TITLE_MAX);
}

/** In quotes a backslash, a quote and an entity mean something. */
function dotText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("\\", "\\\\").replaceAll('"', '\\"');
}

/** As entities, in Mermaid's own form, whatever could end the label, begin an entity or be HTML or Markdown. */
function mermaidText(text: string): string {
  return text.replace(/["#&;<>\\`]/g, (character) => `#${character.charCodeAt(0)};`);
}
