import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Document, isMap, isScalar } from "yaml";
import { z } from "zod";
import { AppError } from "../base/errors.ts";
import type { DetectedPart, DetectedProject, TestFramework } from "../contract/detected-project.ts";
import { type BootstrapLanguage, bootstrapFiles } from "../detect/bootstrap.ts";
import { detectProject } from "../detect/detect-project.ts";
import { readProject } from "../detect/read-project.ts";
import { readConfigText, writeConfigText } from "./file.ts";
import { FORMAT_VERSION } from "./format.ts";

/** Where a project keeps its own settings, and what else is in its `.drover` folder. */
export function projectConfigFile(directory: string): string {
  return join(directory, ".drover", "config.yaml");
}

/** What a person can already say about a project when its folder is made. */
export interface ProjectFacts {
  /** `owner/name` on GitHub. */
  readonly repository?: string;
  readonly labels?: readonly string[];
  readonly language?: string;
  /** The programming language in which an empty folder is begun. */
  readonly begin?: BootstrapLanguage;
}

/** What was made for a project, and what was found out about it. */
export interface NewProjectFolder {
  readonly file: string;
  readonly setup: string | null;
  readonly checks: readonly string[];
  /** What its files tell of it. */
  readonly detected: DetectedProject;
  /** What was put into an empty folder, by path. */
  readonly begun: readonly string[];
}

const FOLDERS = ["prompts", "skills", "issues"];
const IGNORED = "# What Drover keeps here for itself.\nagent.log*\n*.bak\n*.tmp\n";
const HEADER = ` The settings of this project for Drover. What is not set here is as in the home's file, and limits can only be lowered.
 Texts in .drover/prompts/ are added to each prompt, .drover/skills/ is for the agent's skills, .drover/issues/ for issues
 without a service.`;
const CHECKS_COMMENT = " Commands that must pass before a result is published";
const PROJECT_COMMENT = " What the project is made of, as its files tell. Correct it where it is wrong: nothing of it is looked for again";
const NO_CHECKS_COMMENT = `${CHECKS_COMMENT}. None was found: without one, nothing proves that a change works.
 checks:
   - name: test
     command: make test`;

/**
 * Makes `.drover/` in a project: its configuration, with the checks and the set-up that its files suggest, and folders for
 * prompts, skills and issues. `conflict` when it has a configuration already; what else is there stays.
 */
export function initProject(directory: string, facts: ProjectFacts = {}): NewProjectFolder {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new AppError("not_found", `${directory} is not a directory.`, { directory });
  }
  const file = projectConfigFile(directory);
  if (readConfigText(file) !== undefined) {
    throw new AppError("conflict", `${basename(directory)} is set up already: ${file} exists and is left as it is.`, { file });
  }
  const begun = facts.begin === undefined ? [] : beginProject(directory, facts.begin);
  const found = inspect(directory);
  const folder = join(directory, ".drover");
  for (const name of FOLDERS) mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
  if (!existsSync(join(folder, ".gitignore"))) writeFileSync(join(folder, ".gitignore"), IGNORED, { mode: 0o600 });
  writeConfigText(file, textOf(facts, found), undefined);
  return { file, setup: found.setup, checks: found.checks.map(({ command }) => command), detected: found.detected, begun };
}

/**
 * Begins a project in a folder that has nothing in it yet but what git and Drover put there: a folder for code, one for tests, and a
 * test command that runs. `conflict` when there is something else. Returns the paths.
 */
function beginProject(directory: string, language: BootstrapLanguage): string[] {
  const there = readdirSync(directory).filter((name) => ![".git", ".drover"].includes(name) && !/^(?:README|LICENSE)/iu.test(name));
  if (there.length > 0) {
    const message = `${directory} is not empty (${there.slice(0, 5).join(", ")}), so nothing is begun in it. Leave out --begin, and what is there is detected.`;
    throw new AppError("conflict", message, { there });
  }
  const files = Object.entries(bootstrapFiles(language, basename(resolve(directory)))).filter(
    ([, text]) => text !== "" || language === "python",
  );
  for (const [path, text] of files) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text, { flag: "wx" });
  }
  return files.map(([path]) => path).toSorted();
}

interface Findings {
  readonly detected: DetectedProject;
  readonly setup: string | null;
  readonly checks: readonly { readonly name: string; readonly command: string }[];
}

/** What its files tell, and the check that follows from it: the tests of the first part that has some. */
function inspect(directory: string): Findings {
  const detected = detectProject(readProject(directory));
  const part = detected.parts.find(({ tests }) => tests !== null) ?? detected.parts[0];
  const command = part ? checkOf(directory, part) : /^test:/m.test(textIn(directory, "Makefile")) ? "make test" : null;
  return { detected, setup: part ? inFolder(part, part.setup) : null, checks: command === null ? [] : [{ name: "test", command }] };
}

const Manifest = z.object({ scripts: z.object({ test: z.string() }) });

/** The project's own test command, where its language has a place for one, else that of its runner. */
function checkOf(directory: string, part: DetectedPart): string | null {
  const { folder, packageManager, framework } = part;
  const plain: Partial<Record<TestFramework, string>> = {
    "go-test": "go test ./...",
    "cargo-test": "cargo test",
    pytest: "python3 -m pytest",
    unittest: `python3 -m unittest discover -s ${part.testRoot}`,
  };
  if (["npm", "pnpm", "yarn", "bun"].includes(packageManager)) {
    const test = Manifest.safeParse(jsonIn(directory, join(folder, "package.json"))).data?.scripts.test;
    // npm init writes a test script that only fails.
    const isReal = test !== undefined && !test.includes("no test specified");
    return isReal ? inFolder(part, `${packageManager}${packageManager === "bun" ? " run" : ""} test`) : null;
  }
  const own = framework ? plain[framework] : undefined;
  // What writes a report for a gate is of no use to a check, which reads what is printed.
  return inFolder(part, own ?? part.tests?.all.replace(/ *(?:--\S+ |-o )?\S*\{report\}.*$/u, "") ?? null);
}

function inFolder({ folder }: Pick<DetectedPart, "folder">, command: string | null): string | null {
  return command === null || folder === "" ? command : `cd '${folder.replaceAll("'", `'\\''`)}' && ${command}`;
}

function jsonIn(directory: string, name: string): unknown {
  try {
    return JSON.parse(textIn(directory, name));
  } catch {
    // A broken manifest suggests nothing; its own tools will say what is wrong with it.
    return undefined;
  }
}

/** The text of a file of the project; none when it is missing or no such file. */
function textIn(directory: string, name: string): string {
  const path = join(directory, name);
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path, "utf8") : "";
}

/** What is written down of the part whose tests prove a task. */
function makeupOf({ parts }: DetectedProject): object {
  const part = parts.find(({ tests }) => tests !== null) ?? parts[0];
  if (part === undefined) return {};
  const at = (path: string) => (part.folder === "" ? path : path === "." ? part.folder : `${part.folder}/${path}`);
  const { language, sourceRoot, testRoot, tests } = part;
  const setup = tests && {
    all: inFolder(part, tests.all),
    ...(tests.selected !== null && part.folder === "" && { selected: tests.selected }),
    ...(tests.coverage !== null && { coverage: inFolder(part, tests.coverage) }),
    format: tests.format,
    ...(tests.reports.length > 0 && { reports: tests.reports.map(at) }),
    files: tests.files.map(at),
  };
  return { project: { language, sourceRoot: at(sourceRoot), testRoot: at(testRoot), ...(setup && { tests: setup }) } };
}

function textOf({ repository, labels, language }: ProjectFacts, { detected, setup, checks }: Findings): string {
  const document = new Document({
    version: FORMAT_VERSION,
    ...makeupOf(detected),
    ...(repository === undefined ? {} : { github: { repository } }),
    ...(labels === undefined ? {} : { intake: { labels } }),
    ...(language === undefined ? {} : { defaults: { language } }),
    ...(setup === null ? {} : { workspace: { setup } }),
    ...(checks.length === 0 ? {} : { checks }),
  });
  document.commentBefore = HEADER;
  const questions = detected.question === null ? "" : ` ${detected.question}\n`;
  if (checks.length === 0 || questions !== "") document.comment = `${questions}${checks.length === 0 ? NO_CHECKS_COMMENT : ""}`.trimEnd();
  for (const { key } of isMap(document.contents) ? document.contents.items : []) {
    if (!isScalar(key)) continue;
    key.spaceBefore = key.value !== "version";
    if (key.value === "project") key.commentBefore = PROJECT_COMMENT;
    if (key.value === "checks") key.commentBefore = CHECKS_COMMENT;
    if (key.value === "workspace") key.commentBefore = " The directory a task is worked on in";
  }
  return document.toString({ lineWidth: 0 });
}
