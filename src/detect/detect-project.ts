import type { DetectedPart, DetectedProject } from "../contract/detected-project.ts";
import { detectDotnet } from "./dotnet.ts";
import { detectGo } from "./go.ts";
import { detectJava } from "./java.ts";
import { detectNode } from "./node.ts";
import { detectPhp } from "./php.ts";
import { type Detector, Folder, type ProjectFiles } from "./project-files.ts";
import { detectPython } from "./python.ts";
import { detectRuby } from "./ruby.ts";
import { detectRust } from "./rust.ts";

const detectors: readonly Detector[] = [detectNode, detectPython, detectGo, detectRust, detectJava, detectRuby, detectDotnet, detectPhp];

/** Files that begin a part of a repository. */
const MANIFEST =
  /^(?:package\.json|pyproject\.toml|setup\.py|setup\.cfg|requirements\.txt|go\.mod|Cargo\.toml|pom\.xml|build\.gradle(?:\.kts)?|Gemfile|composer\.json|.+\.(?:sln|slnx|csproj))$/u;
const PARTS_MAX = 20;

/** Whether detection wants to read the file: one of the few that say how a project is built. */
export function isManifest(path: string): boolean {
  return MANIFEST.test(path.slice(path.lastIndexOf("/") + 1)) || /(?:^|\/)(?:pytest\.ini|tox\.ini|\.mocharc\.json)$/u.test(path);
}

/**
 * Tells by its files what a repository is made of. Nothing of it is run, and what its files say becomes no command but where they
 * name one of `node`'s own. A part in a part of the same language, such as a member of a workspace, belongs to the outer one, as far
 * as that has tests.
 */
export function detectProject(files: ProjectFiles): DetectedProject {
  const parts: DetectedPart[] = [];
  for (const name of foldersOf(files)) {
    const folder = new Folder(files, name);
    for (const detect of detectors) {
      const part = detect(folder);
      if (part && !parts.some((outer) => covers(outer, name, part))) parts.push({ folder: name, ...part });
    }
  }
  return { parts, question: questionOf(parts) };
}

/** The top, then every folder with a manifest. */
function foldersOf({ paths }: ProjectFiles): string[] {
  const folders = paths.filter((path) => path.includes("/") && isManifest(path)).map((path) => path.slice(0, path.lastIndexOf("/")));
  return ["", ...new Set(folders.toSorted())].slice(0, PARTS_MAX);
}

function covers(outer: DetectedPart, name: string, { packageManager, language }: Omit<DetectedPart, "folder">): boolean {
  const isInside = outer.folder === "" || name.startsWith(`${outer.folder}/`);
  const isSame = outer.packageManager === packageManager || outer.language === language;
  return isInside && isSame && outer.tests !== null;
}

function questionOf(parts: readonly DetectedPart[]): string | null {
  const how = "Set project.tests in .drover/config.yaml: `all`, `format` and `files` (docs/guides/tdd.md).";
  if (parts.length === 0) return `In which language is this, and which command runs its tests? Nothing here tells. ${how}`;
  const untested = parts.filter(({ tests }) => tests === null);
  if (untested.length === parts.length) return `Which command runs the tests of this ${parts[0]?.language ?? ""} project? ${how}`;
  const tested = parts.filter(({ tests }) => tests !== null);
  if (tested.length === 1) return null;
  const names = tested.map(({ folder, language }) => `${folder === "" ? "the top" : folder} (${language})`).join(", ");
  return `Which tests prove a task: those of ${names}? The first is written down. ${how}`;
}
