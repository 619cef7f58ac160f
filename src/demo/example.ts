import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { AppError } from "../base/errors.ts";
import type { ModelScript } from "./model-script.ts";
import type { SampleProject } from "./playground.ts";

/** `example.json` of an example's folder. Texts are names of files: of the task beside it, of the model in `answers/`. */
const ExampleFile = z.strictObject({
  title: z.string(),
  task: z.union([
    z.strictObject({
      /** Its first line is the title. */
      text: z.string(),
      workflow: z.string(),
      parameters: z.record(z.string(), z.string()).default({}),
      /** Whether a person would approve what it waits with. */
      approve: z.boolean().default(false),
    }),
    z.strictObject({ prd: z.string() }),
  ]),
  /** How the model answers prompts that hold `when`, or all of it: the first that fits. What it writes first: paths to files. */
  model: z.array(
    z.strictObject({
      when: z.union([z.string(), z.array(z.string())]),
      write: z.record(z.string(), z.string()).default({}),
      answer: z.string(),
    }),
  ),
});

/** A small project with something to do in it, and what a scripted model says to that. */
export interface Example {
  readonly name: string;
  readonly title: string;
  readonly project: SampleProject;
  readonly task: ExampleTask | ExamplePrd;
  readonly script: ModelScript;
}

interface ExampleTask {
  readonly kind: "task";
  readonly title: string;
  readonly body: string;
  readonly workflow: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly approve: boolean;
}

interface ExamplePrd {
  readonly kind: "prd";
  /** The name of its file, which says its form. */
  readonly file: string;
  readonly text: string;
}

const EXAMPLES = join(import.meta.dirname, "..", "..", "examples");

/** The examples that come with Drover, by name. */
export async function readExamples(): Promise<Example[]> {
  const entries = await readdir(EXAMPLES, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return Promise.all(names.toSorted().map(readExample));
}

/** The examples of these names. Throws `not_found` naming what there is. */
export async function findExamples(names: readonly string[]): Promise<Example[]> {
  const examples = await readExamples();
  const unknown = names.find((name) => !examples.some((example) => example.name === name));
  if (unknown === undefined) return examples.filter(({ name }) => names.includes(name));
  throw new AppError(
    "not_found",
    `There is no example ${JSON.stringify(unknown)}. There is: ${examples.map(({ name }) => name).join(", ")}.`,
  );
}

async function readExample(name: string): Promise<Example> {
  const folder = join(EXAMPLES, name);
  const { title, task, model } = ExampleFile.parse(JSON.parse(await readFile(join(folder, "example.json"), "utf8")));
  const answer = (file: string) => readFile(join(folder, "answers", file), "utf8");
  const scenarios = model.map(async ({ when, write, answer: last }) => {
    const calls = await Promise.all(
      Object.entries(write).map(async ([path, file]) => ({ kind: "write" as const, path, content: await answer(file) })),
    );
    return { when, steps: [...(calls.length > 0 ? [{ calls }] : []), { text: await answer(last) }] };
  });
  const change = join(folder, "change");
  return {
    name,
    title,
    project: { name, files: join(folder, "project"), change: existsSync(change) ? change : null },
    task: await readTask(folder, task),
    script: { scenarios: await Promise.all(scenarios) },
  };
}

async function readTask(folder: string, task: z.infer<typeof ExampleFile>["task"]): Promise<Example["task"]> {
  if ("prd" in task) return { kind: "prd", file: task.prd, text: await readFile(join(folder, task.prd), "utf8") };
  const { text, ...wanted } = task;
  const [heading = "", ...body] = (await readFile(join(folder, text), "utf8")).split("\n");
  return { kind: "task", title: heading.replace(/^#+\s*/u, ""), body: body.join("\n").trim(), ...wanted };
}
