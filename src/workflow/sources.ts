import { readdirSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { AppError } from "../base/errors.ts";
import { readConfigText } from "../config/file.ts";
import { configError } from "../config/problem.ts";
import { isTree } from "../config/tree.ts";
import { parseYaml } from "../config/yaml-text.ts";
import type { WorkflowSource } from "./source.ts";
import { symphonyWorkflow } from "./symphony.ts";

/** The workflows and templates of one place: those that come with Drover, a home's, or a project's. */
export interface WorkflowFolder {
  readonly folder: string;
  readonly sources: ReadonlyMap<string, WorkflowSource>;
  /** Templates by the name of their file. */
  readonly prompts: ReadonlyMap<string, string>;
  /** Files that are none, and why. */
  readonly problems: readonly { readonly file: string; readonly error: AppError }[];
}

const FILES_MAX = 200;

/** The folder of the workflows that come with Drover. */
export const builtinFolder = join(import.meta.dirname, "builtin");

/**
 * Reads a folder of workflows: `*.yaml`, and the templates of its `prompts/`. One that is not there has none. A file that
 * is wrong is among `problems` and hides no other.
 * @param symphonyFile a `WORKFLOW.md` that counts as a workflow too, if it is there.
 */
export function readWorkflowFolder(folder: string, symphonyFile?: string): WorkflowFolder {
  const sources = new Map<string, WorkflowSource>();
  const prompts = new Map<string, string>();
  const problems: { file: string; error: AppError }[] = [];
  const attempt = (file: string, read: (file: string) => void) => {
    try {
      read(file);
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown;
      problems.push({ file, error: thrown });
    }
  };
  for (const file of filesOf(join(folder, "prompts"), ".md")) {
    attempt(file, () => prompts.set(basename(file), readConfigText(file) ?? ""));
  }
  for (const file of filesOf(folder, ".yaml")) attempt(file, () => add(sources, sourceOf(file, readConfigText(file) ?? "")));
  if (symphonyFile !== undefined) {
    attempt(symphonyFile, (file) => {
      const text = readConfigText(file);
      if (text !== undefined) add(sources, symphonyWorkflow(file, text));
    });
  }
  return { folder, sources, prompts, problems };
}

function filesOf(folder: string, extension: string): string[] {
  const files = namesIn(folder).filter((name) => extname(name) === extension && !name.startsWith("."));
  if (files.length > FILES_MAX)
    throw new AppError("invalid", `${folder} holds ${files.length} files; at most ${FILES_MAX} are read. Remove some.`);
  return files.toSorted().map((name) => join(folder, name));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    // Most homes and projects have no such folder.
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw new AppError("unavailable", `Cannot read ${folder}: ${(thrown as Error).message}`, { cause: thrown });
  }
}

/** A workflow as a text has it, which stands in `file` or is to. Throws `invalid` with the place of what is wrong. */
export function sourceOf(file: string, written: string): WorkflowSource {
  const text = parseYaml(file, written);
  const values = text.values();
  const { name } = values;
  if (typeof name === "string") return { name, file, values, text };
  const message = `A workflow needs a name, such as \`name: ${basename(file, ".yaml")}\`.`;
  throw configError([{ path: "name", place: file, ...(isTree(name) ? text.locate(["name"]) : { line: 1, column: 1 }), message }]);
}

function add(sources: Map<string, WorkflowSource>, source: WorkflowSource): void {
  const other = sources.get(source.name);
  if (other === undefined) {
    sources.set(source.name, source);
    return;
  }
  const message = `The workflow ${source.name} is in ${other.file} already. Rename one of them.`;
  const place = source.text?.locate(["name"]) ?? { line: null, column: null };
  throw configError([{ path: "name", place: source.file, ...place, message }]);
}
