import { AppError } from "../base/errors.ts";
import { keyOf, type Path } from "../config/schema.ts";
import { configError, shown, type Problem } from "../config/problem.ts";
import { nearest } from "../config/suggestion.ts";
import { has, isTree, merge, valueAt, without, type Tree } from "../config/tree.ts";
import { Workflow } from "../contract/workflow.ts";
import type { WorkflowSource } from "./source.ts";
import type { WorkflowFolder } from "./sources.ts";
import { tryPrompts } from "./prompt.ts";
import { checkTemplate, ownPartials, partialsOf } from "./template.ts";

/** A workflow put together, or what is wrong with it. */
export type Resolved = { readonly source: WorkflowSource; readonly folder: number } & (
  | { readonly workflow: Workflow; readonly error?: undefined }
  | { readonly workflow?: undefined; readonly error: AppError }
);

/**
 * Puts together every workflow of `folders`, which lie one over the other, the outermost first: what a workflow `extends`
 * comes first, then its `mixins` in order, then what it says itself. Mappings are merged, lists and values replaced, and
 * stages merged by their name; a new one goes to the end, or where its `before` or `after` says, and `remove: true` takes
 * one away. A name means the workflow of the same folder or of those below it; a workflow that extends its own name, that
 * of a folder below. One that is `abstract` is only there to be built upon.
 */
export function resolveWorkflows(folders: readonly WorkflowFolder[]): Resolved[] {
  return folders.flatMap(({ sources }, folder) =>
    [...sources.values()].flatMap((source): Resolved[] => {
      if (source.values["abstract"] === true) return [];
      try {
        return [{ source, folder, workflow: resolveOne(folders, { source, folder }) }];
      } catch (thrown) {
        if (!(thrown instanceof AppError)) throw thrown;
        return [{ source, folder, error: thrown }];
      }
    }),
  );
}

interface Placed {
  readonly source: WorkflowSource;
  readonly folder: number;
}

function resolveOne(folders: readonly WorkflowFolder[], own: Placed): Workflow {
  const lineage = lineageOf(folders, own, []);
  const merged = lineage.reduce<Tree>((values, { source }) => mergeWorkflow(values, source), {});
  const values = ["extends", "mixins", "abstract"].reduce<Tree>((tree, key) => without(tree, [key]), { ...merged, name: own.source.name });
  const parsed = Workflow.omit({ partials: true }).safeParse(values);
  if (!parsed.success) throw configError(parsed.error.issues.flatMap((issue) => problemsOf(issue, values, lineage)));
  const misplaced = yieldProblems(parsed.data.stages, lineage);
  if (misplaced.length > 0) throw configError(misplaced);
  const workflow = withTemplates(folders.slice(0, own.folder + 1), own.source, { ...parsed.data, partials: {} });
  tryPrompts(workflow);
  return workflow;
}

/** What a workflow is made of, the outermost first, itself last. */
function lineageOf(folders: readonly WorkflowFolder[], own: Placed, below: readonly WorkflowSource[]): Placed[] {
  const { source, folder } = own;
  if (below.includes(source)) {
    const circle = [...below.slice(below.indexOf(source)), source].map(({ name }) => name).join(" -> ");
    throw problem(source, ["extends"], `Workflows can't be built upon each other in a circle: ${circle}.`);
  }
  const parents = [...listAt(source, "extends", false), ...listAt(source, "mixins", true)];
  return [
    ...parents.flatMap((name) => {
      const parent = find(folders, name, name === source.name ? folder - 1 : folder);
      if (parent) return lineageOf(folders, parent, [...below, source]);
      const known = [...new Set(folders.slice(0, folder + 1).flatMap(({ sources }) => [...sources.keys()]))];
      throw problem(source, ["extends"], `There is no workflow ${shown(name)} to build upon. There is: ${known.join(", ")}.`);
    }),
    own,
  ];
}

function listAt(source: WorkflowSource, key: string, isList: boolean): string[] {
  const value = source.values[key];
  if (value === undefined) return [];
  const names = isList ? value : [value];
  if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  throw problem(
    source,
    [key],
    `${key} is ${shown(value)}; allowed: ${isList ? "a list of names of workflows" : "the name of a workflow"}.`,
  );
}

function find(folders: readonly WorkflowFolder[], name: string, from: number): Placed | undefined {
  for (let folder = from; folder >= 0; folder--) {
    const source = folders[folder]?.sources.get(name);
    if (source) return { source, folder };
  }
  return undefined;
}

function mergeWorkflow(lower: Tree, source: WorkflowSource): Tree {
  const { stages = [], ...others } = source.values;
  if (!Array.isArray(stages) || !stages.every((stage) => isTree(stage) && typeof stage["name"] === "string")) {
    throw problem(source, ["stages"], "stages must be a list, and each of them needs a name.");
  }
  const below = (lower["stages"] ?? []) as Tree[];
  return { ...merge(lower, others), stages: stages.reduce<Tree[]>((all, stage: Tree) => placeStage(all, stage, source), below) };
}

function placeStage(stages: readonly Tree[], change: Tree, source: WorkflowSource): Tree[] {
  const { remove, before, after, ...own } = change;
  const index = stages.findIndex(({ name }) => name === own["name"]);
  const others = stages.filter((_, at) => at !== index);
  if (remove === true) return others;
  const stage = merge(stages[index] ?? {}, own);
  const beside = before ?? after;
  if (beside === undefined) return index === -1 ? [...stages, stage] : stages.map((one, at) => (at === index ? stage : one));
  const at = others.findIndex(({ name }) => name === beside);
  if (at === -1)
    throw problem(source, ["stages"], `The stage ${shown(own["name"])} is to stand beside ${shown(beside)}, which is not there.`);
  return others.toSpliced(before === undefined ? at + 1 : at, 0, stage);
}

/** What is wrong with the merged values, each told where it was written. */
function problemsOf(
  issue: { path: PropertyKey[]; message: string; code?: string; keys?: string[] },
  values: Tree,
  lineage: readonly Placed[],
): Problem[] {
  const path = issue.path as Path;
  if (issue.code === "unrecognized_keys") {
    return (issue.keys ?? []).map((key) =>
      locate([...path, key], values, lineage, `${keyOf([...path, key])} is not a setting of a workflow.${hint(key)}`),
    );
  }
  const value = valueAt(values, path);
  const found = value === undefined ? `${keyOf(path)} is missing` : `${keyOf(path)} is ${shown(value)}`;
  return [locate(path, values, lineage, `${found}: ${issue.message}.`)];
}

const KNOWN = [
  "name",
  "description",
  "extends",
  "mixins",
  "abstract",
  "parameters",
  "stages",
  ...Object.keys(Workflow.shape.stages.element.shape),
];

function hint(key: string): string {
  const near = nearest(key, KNOWN);
  return near.length > 0 ? ` Did you mean ${near.join(" or ")}?` : "";
}

/** The problem at the innermost place that says something of it. A stage has another number in each file. */
function locate(path: Path, values: Tree, lineage: readonly Placed[], message: string): Problem {
  const stage = path[0] === "stages" ? valueAt(values, path.slice(0, 2)) : undefined;
  for (const { source } of lineage.toReversed()) {
    const local = isTree(stage) ? inSource(source, stage["name"], path) : path;
    if (local !== undefined && has(source.values, local.slice(0, -1)) && (has(source.values, local) || path.length <= 2))
      return problemOf(source, local, message);
  }
  const own = lineage.at(-1)?.source;
  return own
    ? problemOf(own, isTree(stage) ? (inSource(own, stage["name"], path) ?? []) : path, message)
    : { path: keyOf(path), place: null, line: null, column: null, message };
}

function inSource({ values }: WorkflowSource, name: unknown, path: Path): Path | undefined {
  const { stages } = values;
  const index = Array.isArray(stages) ? stages.findIndex((stage) => isTree(stage) && stage["name"] === name) : -1;
  return index === -1 ? undefined : ["stages", index, ...path.slice(2)];
}

function problemOf({ file, text }: WorkflowSource, path: Path, message: string): Problem {
  const { line, column } = text?.locate(path) ?? { line: null, column: null };
  return { path: keyOf(path), place: file, line, column, message };
}

function problem(source: WorkflowSource, path: Path, message: string): AppError {
  return configError([problemOf(source, path, message)]);
}

/** What no single setting shows. */
function yieldProblems(stages: Workflow["stages"], lineage: readonly Placed[]): Problem[] {
  return stages.flatMap((stage, index) => {
    const at = (key: string, message: string) => [locate(["stages", index, key], { stages }, lineage, `stages.${stage.name}: ${message}`)];
    if (stages.findIndex(({ name }) => name === stage.name) !== index) return at("name", "there are two stages of this name.");
    if (stage.yields === "tasks" && stage.children === null)
      return at("yields", "a stage that yields tasks needs `children`, the workflow of these.");
    if (stage.yields !== "tasks" && stage.children !== null) return at("children", "only a stage that yields tasks has children.");
    if (stage.yields === "commit" && stage.pass !== null)
      return at("pass", "a stage that yields a commit gives no pass of a decomposition.");
    if (stage.kind !== "worker" && !["report", "verdict"].includes(stage.yields))
      return at("yields", `a ${stage.kind} agent changes nothing and files no tasks: it yields a report or a verdict.`);
    if (["report", "verdict"].includes(stage.yields) && stage.loop !== null)
      return at("loop", `a ${stage.yields} has no checks that could end a loop.`);
    if (stage.approval === "issue" && stage.yields !== "verdict")
      return at("approval", "only a stage that yields a verdict finds an issue.");
    return [];
  });
}

const FILE_NAME = /^[\w.-]+\.md$/u;

/** The workflow with the texts of its templates in place of their names, and of all that they include. */
function withTemplates(folders: readonly WorkflowFolder[], source: WorkflowSource, workflow: Workflow): Workflow {
  const partials = new Map<string, string>();
  const textOf = (name: string): string => {
    const text = folders.findLast(({ prompts }) => prompts.has(name))?.prompts.get(name);
    if (text !== undefined) return text;
    throw problem(source, ["stages"], `There is no template ${name}: it would be a file of ${folders.at(-1)?.folder ?? ""}/prompts.`);
  };
  const include = (place: string, text: string): string => {
    checkTemplate(place, text);
    for (const name of partialsOf(text)) {
      if (ownPartials.includes(name) || partials.has(name)) continue;
      const partial = textOf(`${name}.md`);
      partials.set(name, partial);
      include(`${name}.md`, partial);
    }
    return text;
  };
  const load = (stage: string, template: string) =>
    FILE_NAME.test(template) ? include(template, textOf(template)) : include(`${source.file}, stage ${stage}`, template);
  const stages = workflow.stages.map((stage) => ({
    ...stage,
    prompt: load(stage.name, stage.prompt),
    followUp: stage.followUp === null ? null : load(stage.name, stage.followUp),
  }));
  return { ...workflow, stages, partials: Object.fromEntries([...partials].toSorted(([a], [b]) => (a < b ? -1 : 1))) };
}
