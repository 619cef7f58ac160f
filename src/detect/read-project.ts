import { type Dirent, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { isManifest } from "./detect-project.ts";
import type { ProjectFiles } from "./project-files.ts";

const PATHS_MAX = 5000;
const DEPTH_MAX = 6;
const TEXT_MAX_BYTES = 1024 * 1024;
/** What tools make, and what is not the project's own. */
const SKIPPED = new Set(["node_modules", "vendor", "target", "build", "dist", "out", "venv", "__pycache__", "bin", "obj", "coverage"]);
const KEPT_DOT_FILES = new Set([".rspec", ".mocharc.json", ".mocharc.js", ".mocharc.cjs", ".mocharc.yml", ".mocharc.yaml"]);

/** What detection looks at of a folder of this machine. Links are not followed, and only manifests are read. */
export function readProject(directory: string): ProjectFiles {
  const paths: string[] = [];
  list(directory, "", 0, paths);
  const known = new Set(paths);
  return { paths, textOf: (path) => (known.has(path) && isManifest(path) ? textIn(join(directory, path)) : "") };
}

function list(directory: string, folder: string, depth: number, paths: string[]): void {
  const entries = readdirSync(join(directory, folder), { withFileTypes: true }).toSorted((a, b) => a.name.localeCompare(b.name));
  for (const entry of entries.filter((one) => one.isFile() && isWanted(one))) {
    if (paths.length >= PATHS_MAX) return;
    paths.push(folder === "" ? entry.name : `${folder}/${entry.name}`);
  }
  if (depth === DEPTH_MAX) return;
  for (const entry of entries.filter((one) => one.isDirectory() && isWanted(one)))
    list(directory, folder === "" ? entry.name : `${folder}/${entry.name}`, depth + 1, paths);
}

function isWanted({ name }: Dirent): boolean {
  return !SKIPPED.has(name) && (!name.startsWith(".") || KEPT_DOT_FILES.has(name));
}

function textIn(file: string): string {
  return statSync(file).size > TEXT_MAX_BYTES ? "" : readFileSync(file, "utf8");
}
