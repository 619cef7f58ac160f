import { readFileSync } from "node:fs";
import { join } from "node:path";
import Handlebars from "handlebars";
import { AppError, messageOf } from "../base/errors.ts";
import type { Stage, Workflow } from "../contract/workflow.ts";
import { builtinFolder } from "./sources.ts";

/** What a prompt is made of. Everything here is data: text in it that looks like a template stays as it is. */
export interface PromptData {
  readonly project: string;
  readonly baseBranch: string;
  readonly baseCommit: string;
  readonly title: string;
  readonly body: string;
  /** Random letters that no text from outside can know, to tell where it ends. */
  readonly mark: string;
  readonly checks: readonly string[];
  readonly instructions: string;
  /** Paths of files with knowledge about the project, readable by the agent. */
  readonly skills: readonly string[];
  readonly language: string | null;
  /** How an earlier attempt ended; null: this is the first. */
  readonly earlier: string | null;
  /** The base moved since an earlier run, and the work with it; null: it did not. */
  readonly moved: {
    readonly from: string;
    readonly conflicts: readonly string[];
    /** What else is to be mended after the move. */
    readonly note: string | null;
  } | null;
  /** What our checks said of the attempt or iteration before; null: nothing. */
  readonly failure: string | null;
  readonly attempt: number;
  /** Which iteration of its loop this is, 1-based, and how many there may be; null: the stage is no loop. */
  readonly iteration: number | null;
  readonly iterations: number | null;
  /** What the iterations before left to this one, the oldest first. */
  readonly notes: readonly string[];
  /** The reports of the stages before, by their names. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, string>>;
  /** Files that were put before the agent, by their paths in its workspace, with what each holds. */
  readonly material: readonly { readonly name: string; readonly about: string }[];
}

/** Renders a template of a workflow, given as its text. Throws `invalid` for a variable that it names and the data lack. */
export type RenderPrompt = (workflow: Workflow, template: string, data: PromptData) => string;

/** The text of a template that comes with Drover, for what no workflow says. */
export function ownTemplate(name: "resume" | "request" | "moved"): string {
  return readFileSync(join(builtinFolder, "prompts", `${name}.md`), "utf8");
}

type Renderer = (data: object) => string;

/**
 * Makes the function that renders prompts. A template sees its data and a few helpers, and nothing beyond. What comes from
 * outside reaches it only between marks: the request as `request`, what agents and checks said in the same way.
 */
export function createPromptRenderer(): RenderPrompt {
  const environments = new WeakMap<Workflow, { readonly handlebars: typeof Handlebars; readonly compiled: Map<string, Renderer> }>();
  const request = compile(createEnvironment({}), ownTemplate("request"));
  return (workflow, template, data) => {
    let environment = environments.get(workflow);
    if (!environment) {
      environment = { handlebars: createEnvironment(workflow.partials), compiled: new Map() };
      environments.set(workflow, environment);
    }
    let render = environment.compiled.get(template);
    if (!render) {
      render = compile(environment.handlebars, template);
      environment.compiled.set(template, render);
    }
    try {
      return `${render(visibleData(data, request)).trim()}\n`;
    } catch (thrown) {
      throw new AppError("invalid", `A prompt of the workflow ${workflow.name} can't be written: ${messageOf(thrown)}`, { cause: thrown });
    }
  };
}

/** Renders every template of a workflow on data that have everything and on data that have little. Throws as a renderer does. */
export function tryPrompts(workflow: Workflow): void {
  const render = createPromptRenderer();
  for (const [index, stage] of workflow.stages.entries()) {
    for (const template of [stage.prompt, ...(stage.followUp === null ? [] : [stage.followUp])]) {
      for (const full of [true, false]) render(workflow, template, sampleData(workflow, index, full));
    }
  }
}

/** Data as a stage could be given them, to look at its prompt. */
export function sampleData({ parameters, stages }: Workflow, stage: number, full: boolean): PromptData {
  const { loop } = stages[stage] as Stage;
  return {
    project: "api",
    baseBranch: "main",
    baseCommit: "0123456789abcdef0123456789abcdef01234567",
    title: "Answer 404 for an unknown order",
    body: "Today it is 500.",
    mark: "d5f0c1",
    checks: full ? ["npm test"] : [],
    instructions: full ? "Use tabs." : "",
    skills: full ? ["/home/me/code/api/.drover/skills/database.md"] : [],
    language: full ? "Japanese" : null,
    earlier: full ? "timed_out: It took longer than an hour." : null,
    moved: full
      ? { from: "fedcba9876543210fedcba9876543210fedcba98", conflicts: ["src/order.ts"], note: "$ npm test  (exit code 1)" }
      : null,
    failure: full ? "$ npm test  (exit code 1)\nnew failure: sum adds" : null,
    attempt: full ? 2 : 1,
    iteration: loop ? (full ? 2 : 1) : null,
    iterations: loop ? loop.iterations : null,
    notes: full ? ["Iteration 1 changed: src/order.ts | 2 +-"] : [],
    outputs: Object.fromEntries(stages.slice(0, stage).map(({ name }) => [name, full ? "It is done." : ""])),
    parameters: Object.fromEntries(Object.entries(parameters).map(([name, one]) => [name, one.default ?? one.allowed?.[0] ?? ""])),
    material: full ? [{ name: ".drover-material/change.diff", about: "the change from its base to its head" }] : [],
  };
}

/** What a template can name. Text of others stands between the marks, as the request does. */
function visibleData({ title, body, mark, failure, moved, notes, outputs, ...own }: PromptData, renderRequest: Renderer): object {
  const request = renderRequest({ title, body, mark }).trim();
  const quoted = Object.entries(own.parameters).map(([name, value]) => [name, value && between(mark, name, value)] as const);
  return {
    ...own,
    request,
    quoted: Object.fromEntries(quoted),
    failure: failure === null ? null : between(mark, "what the checks said", failure),
    moved: moved && { ...moved, note: moved.note === null ? null : between(mark, "what the checks said", moved.note) },
    notes: notes.map((one) => between(mark, "note", one)),
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([stage, report]) => [stage, report && between(mark, `report of ${stage}`, report)]),
    ),
    issue: { title: between(mark, "title", title), description: request },
  };
}

function between(mark: string, what: string, text: string): string {
  return `--- ${what} ${mark} ---\n${text}\n--- end of ${what} ${mark} ---`;
}

function createEnvironment(partials: Readonly<Record<string, string>>): typeof Handlebars {
  const handlebars = Handlebars.create();
  for (const name of ["lookup", "log"]) handlebars.unregisterHelper(name);
  handlebars.registerHelper(helpers);
  // What our own template for going on includes, also in a workflow whose prompts do not.
  handlebars.registerPartial({ moved: ownTemplate("moved"), ...partials, request: "{{@root.request}}" });
  return handlebars;
}

/** What templates may call, besides `if`, `unless`, `each` and `with`. */
const helpers = {
  eq: (a: unknown, b: unknown) => a === b,
  join: (list: unknown, separator: unknown) =>
    Array.isArray(list) ? list.join(typeof separator === "string" ? separator : ", ") : String(list),
  json: (value: unknown) => JSON.stringify(value, null, 2),
  indent: (text: unknown, width: unknown) => String(text).replaceAll(/^(?=.)/gmu, " ".repeat(typeof width === "number" ? width : 2)),
};

const knownHelpers = {
  if: true,
  unless: true,
  each: true,
  with: true,
  eq: true,
  join: true,
  json: true,
  indent: true,
  lookup: false,
  log: false,
  helperMissing: false,
  blockHelperMissing: false,
};

function compile(handlebars: typeof Handlebars, text: string): Renderer {
  return handlebars.compile<object>(text, { noEscape: true, strict: true, knownHelpers, knownHelpersOnly: true });
}
