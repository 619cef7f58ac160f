import { basename, matchesGlob } from "node:path";
import { safeText } from "../../base/text.ts";
import type { OpenFolder } from "./open-folder.ts";
import { openFolder, readIn, textOf } from "./workspace-files.ts";
import { isRefusedName } from "./workspace-path.ts";

export interface SearchRequest {
  readonly workspace: string;
  /** A folder. */
  readonly path: string;
  /** A regular expression of JavaScript. */
  readonly pattern: string;
  readonly ignoreCase: boolean;
  /** Of files, by their path from the folder, or without a slash by their name; null: all. */
  readonly glob: string | null;
}

const DEPTH_MAX = 64;
/** Of one folder. */
const ENTRIES_MAX = 20_000;
const SHOWN_MAX = 300;

/**
 * Lines of text files that match, as `path:number: line`. Left out are links, binary files, those that are too large to
 * read, git's folder, and `node_modules` below the folder. May take any time: patterns exist that never end.
 */
export async function* findMatches(request: SearchRequest): AsyncGenerator<string> {
  const pattern = new RegExp(request.pattern, request.ignoreCase ? "i" : "");
  await using folder = await openFolder(request.workspace, request.path);
  for await (const { path, text } of texts(folder, "", request.glob, DEPTH_MAX)) {
    for (const [index, line] of text.split("\n").entries()) {
      if (pattern.test(line)) yield `${safeText(path)}:${index + 1}: ${safeText(line).slice(0, SHOWN_MAX)}`;
    }
  }
}

async function* texts(
  folder: OpenFolder,
  prefix: string,
  glob: string | null,
  depth: number,
): AsyncGenerator<{ path: string; text: string }> {
  for (const { name, kind } of await folder.entries(ENTRIES_MAX)) {
    const path = prefix + name;
    if (isRefusedName(name) || name === "node_modules") continue;
    if (kind === "file" && isWanted(path, glob)) {
      const text = await textIn(folder, name, path);
      if (text !== undefined) yield { path, text };
    } else if (kind === "folder" && depth > 0) {
      const inner = await orSkip(() => folder.openFolder(name));
      if (inner === undefined) continue;
      await using opened = inner;
      yield* texts(opened, `${path}/`, glob, depth - 1);
    }
  }
}

function isWanted(path: string, glob: string | null): boolean {
  return glob === null || matchesGlob(glob.includes("/") ? path : basename(path), glob);
}

async function textIn(folder: OpenFolder, name: string, path: string): Promise<string | undefined> {
  const bytes = await orSkip(() => readIn(folder, name, path));
  return bytes && textOf(bytes);
}

async function orSkip<Result>(open: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await open();
  } catch {
    return undefined; // it is too large, or it went or became a link while we looked: not among what is searched
  }
}
