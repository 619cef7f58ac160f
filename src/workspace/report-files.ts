import { readdir, rm } from "node:fs/promises";
import { join, matchesGlob, relative } from "node:path";
import { AppError } from "../base/errors.ts";
import { isFolder, lookInside, readPlainFile } from "./folders.ts";

const FILES_MAX = 2000;
const BYTES_MAX = 64 * 1024 * 1024;
const PASSED_OVER = new Set(["node_modules", ".git"]);

/** Removes what an earlier run of the tests left in a tree, so that it is not taken for the report of the next. */
export async function removeReports(directory: string, patterns: readonly string[]): Promise<void> {
  for (const path of await reportsIn(directory, patterns)) await rm(join(directory, path), { force: true });
}

/**
 * The texts of the reports that a run of the tests left in a tree. What ran may have been written by an agent, and put anything in their
 * place: links are not followed, and a size that no report has is `invalid`. `not_found`: there is none.
 */
export async function readReportFiles(directory: string, patterns: readonly string[]): Promise<string[]> {
  const paths = await reportsIn(directory, patterns);
  if (paths.length === 0) throw new AppError("not_found", "the tests left no report.");
  if (paths.length > FILES_MAX) throw new AppError("invalid", `the tests left ${paths.length} reports; at most ${FILES_MAX} are read.`);
  const texts: string[] = [];
  let bytes = 0;
  for (const path of paths) {
    const found = await lookInside(directory, path);
    if (!found?.isFile()) throw new AppError("invalid", `${path} is no file, but should be the tests' report.`);
    bytes += found.size;
    if (bytes > BYTES_MAX) throw new AppError("invalid", `the tests' report is larger than ${BYTES_MAX / 1024 / 1024} MB.`);
    texts.push((await readPlainFile(join(directory, path))).toString("utf8"));
  }
  return texts;
}

/** A plain path is taken as it is; patterns are looked for, below no link. */
async function reportsIn(directory: string, patterns: readonly string[]): Promise<string[]> {
  const plain = patterns.filter((pattern) => !/[*?{[]/u.test(pattern));
  const there: string[] = [];
  for (const path of plain) if (await lookInside(directory, path)) there.push(path);
  if (plain.length === patterns.length || !(await isFolder(directory))) return there;
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const found = entries.flatMap((entry) => {
    const path = relative(directory, join(entry.parentPath, entry.name));
    const isWanted = !path.split("/").some((part) => PASSED_OVER.has(part)) && patterns.some((pattern) => matchesGlob(path, pattern));
    return isWanted && !entry.isDirectory() ? [path] : [];
  });
  return [...new Set([...there, ...found])].toSorted();
}
