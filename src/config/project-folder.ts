import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { Document, isMap, isScalar } from "yaml";
import { z } from "zod";
import { AppError } from "../base/errors.ts";
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
}

/** What was made for a project, and what was found out about it. */
export interface NewProjectFolder {
  readonly file: string;
  readonly setup: string | null;
  readonly checks: readonly string[];
}

const FOLDERS = ["prompts", "skills", "issues"];
const IGNORED = "# What Drover keeps here for itself.\nagent.log*\n*.bak\n*.tmp\n";
const HEADER = ` The settings of this project for Drover. What is not set here is as in the home's file, and limits can only be lowered.
 Texts in .drover/prompts/ are added to each prompt, .drover/skills/ is for the agent's skills, .drover/issues/ for issues
 without a service.`;
const CHECKS_COMMENT = " Commands that must pass before a result is published";
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
  const found = inspect(directory);
  const folder = join(directory, ".drover");
  for (const name of FOLDERS) mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
  if (!existsSync(join(folder, ".gitignore"))) writeFileSync(join(folder, ".gitignore"), IGNORED, { mode: 0o600 });
  writeConfigText(file, textOf(facts, found), undefined);
  return { file, setup: found.setup, checks: found.checks.map(({ command }) => command) };
}

interface Findings {
  readonly setup: string | null;
  readonly checks: readonly { readonly name: string; readonly command: string }[];
}

const NOTHING: Findings = { setup: null, checks: [] };

/** How the project is tested, told by its files: the first kind of project that fits. */
function inspect(directory: string): Findings {
  const has = (name: string) => existsSync(join(directory, name));
  const test = (command: string): Findings => ({ setup: null, checks: [{ name: "test", command }] });
  if (has("package.json")) return inspectNode(directory, has);
  if (has("go.mod")) return test("go test ./...");
  if (has("Cargo.toml")) return test("cargo test");
  const isPytest =
    has("pytest.ini") || ["pyproject.toml", "setup.cfg", "tox.ini"].some((name) => textIn(directory, name).includes("pytest"));
  if (isPytest) return test("python -m pytest");
  return /^test:/m.test(textIn(directory, "Makefile")) ? test("make test") : NOTHING;
}

const Manifest = z.object({ scripts: z.object({ test: z.string() }) });

function inspectNode(directory: string, has: (name: string) => boolean): Findings {
  const program = has("pnpm-lock.yaml") ? "pnpm" : has("yarn.lock") ? "yarn" : "npm";
  const setup = program === "npm" && has("package-lock.json") ? "npm ci" : `${program} install`;
  const test = Manifest.safeParse(jsonIn(directory, "package.json")).data?.scripts.test;
  // npm init writes a test script that only fails.
  const isReal = test !== undefined && !test.includes("no test specified");
  return { setup, checks: isReal ? [{ name: "test", command: `${program} test` }] : [] };
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

function textOf({ repository, labels, language }: ProjectFacts, { setup, checks }: Findings): string {
  const document = new Document({
    version: FORMAT_VERSION,
    ...(repository === undefined ? {} : { github: { repository } }),
    ...(labels === undefined ? {} : { intake: { labels } }),
    ...(language === undefined ? {} : { defaults: { language } }),
    ...(setup === null ? {} : { workspace: { setup } }),
    ...(checks.length === 0 ? {} : { checks }),
  });
  document.commentBefore = HEADER;
  if (checks.length === 0) document.comment = NO_CHECKS_COMMENT;
  for (const { key } of isMap(document.contents) ? document.contents.items : []) {
    if (!isScalar(key)) continue;
    key.spaceBefore = key.value !== "version";
    if (key.value === "checks") key.commentBefore = CHECKS_COMMENT;
    if (key.value === "workspace") key.commentBefore = " The directory a task is worked on in";
  }
  return document.toString({ lineWidth: 0 });
}
