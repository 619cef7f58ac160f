import { join } from "node:path";
import { readConfigText, writeConfigText } from "../config/file.ts";
import { configError } from "../config/problem.ts";
import { resolveWorkflows } from "./resolve.ts";
import { builtinFolder, readWorkflowFolder, sourceOf } from "./sources.ts";

/** The text of a workflow of a home, or where that has none of the name, the one that comes with Drover; undefined: neither has. */
export function readWorkflowText(folder: string, name: string): { file: string; text: string } | undefined {
  const file = readWorkflowFolder(folder).sources.get(name)?.file ?? readWorkflowFolder(builtinFolder).sources.get(name)?.file;
  const text = file === undefined ? undefined : readConfigText(file);
  return file === undefined || text === undefined ? undefined : { file, text };
}

/**
 * Writes a workflow of a home, over the one that has its name. It is put together first, as it would be from its file: what is wrong
 * throws `invalid` with its places, and nothing is written. Returns the file.
 */
export function writeWorkflowText(folder: string, name: string, text: string): string {
  const own = readWorkflowFolder(folder);
  const file = own.sources.get(name)?.file ?? join(folder, `${name}.yaml`);
  const source = sourceOf(file, text);
  if (source.name !== name) {
    const place = source.text?.locate(["name"]) ?? { line: 1, column: 1 };
    throw configError([{ path: "name", place: file, ...place, message: `This is the workflow ${name}; its name can't be changed here.` }]);
  }
  const folders = [readWorkflowFolder(builtinFolder), { ...own, sources: new Map(own.sources).set(name, source) }];
  const wrong = resolveWorkflows(folders).find((one) => one.folder === 1 && one.source === source)?.error;
  if (wrong) throw wrong;
  writeConfigText(file, text, readConfigText(file));
  return file;
}
