import { matchesGlob } from "node:path";
import type { TestSetup } from "../contract/test-setup.ts";

/** Whether a file is a test or belongs to tests. */
export function isTestFile(path: string, { files }: Pick<TestSetup, "files">): boolean {
  return files.some((pattern) => matchesGlob(path, pattern)) && !isRunnerFile(path);
}

/** Files that nothing but test runners, or what starts them, reads; and names that would stand in the place of a runner's modules. */
const RUNNER_FILES: readonly RegExp[] = [
  /(?:^|\/)(?:vitest|vite|jest|karma|playwright|ava|babel)\.(?:config|setup|workspace)\.\w+$/u,
  /(?:^|\/)(?:vitest|jest)[.-]?setup\.\w+$/iu,
  /(?:^|\/)\.mocharc\.\w+$/u,
  /(?:^|\/)\.(?:npmrc|yarnrc(?:\.yml)?|pnpmfile\.cjs|node-options|env(?:\.\w+)?)$/u,
  /(?:^|\/)bunfig\.toml$/u,
  /(?:^|\/)(?:pytest\.ini|tox\.ini|\.coveragerc|sitecustomize\.py|usercustomize\.py)$/u,
  /^(?:pytest|unittest|_pytest|assertpy)(?:\.py|\/)/u,
  /(?:^|\/)(?:\.rspec|Rakefile)$/u,
  /(?:^|\/)(?:phpunit(?:\.dist)?\.xml(?:\.dist)?|phpunit\.xml\.dist)$/u,
  /(?:^|\/)\.cargo\/config(?:\.toml)?$/u,
  /(?:^|\/)(?:go\.work|\.runsettings|gradle\.properties|Makefile)$/u,
  /(?:^|\/)(?:node_modules|vendor\/bin)\//u,
];

/** What only says how tests are run: no stage with a gate may change it. */
export function isRunnerFile(path: string, own: readonly string[] = []): boolean {
  return RUNNER_FILES.some((pattern) => pattern.test(path)) || own.some((pattern) => matchesGlob(path, pattern));
}

/** Manifests, which say how tests are run beside other things. */
export function isManifest(path: string): boolean {
  return /(?:^|\/)(?:package\.json|pyproject\.toml|setup\.cfg|Cargo\.toml|pom\.xml|build\.gradle(?:\.kts)?|composer\.json|[^/]+\.csproj)$/u.test(
    path,
  );
}

/** Whether a change to a manifest changes how tests are run. Empty text: there is no such file. */
export function changesTestRun(path: string, before: string, after: string): boolean {
  return runPartOf(path, before) !== runPartOf(path, after);
}

function runPartOf(path: string, text: string): string {
  if (/(?:package|composer)\.json$/u.test(path)) return runPartOfJson(text);
  if (/\.(?:toml|cfg)$/u.test(path))
    return sectionsOf(
      text,
      /^\[+(?:tool[.:])?(?:pytest|coverage|unittest|tox|nose|aliases|test|lib|bin|profile|lints|patch|package\.metadata)\b/u,
    );
  // A build file says how it is tested anywhere; what it needs, in blocks that can be told.
  return text
    .replaceAll(/<dependencies>[^]*?<\/dependencies>/gu, "")
    .replaceAll(/<PackageReference\b[^>]*?\/>/gu, "")
    .replaceAll(/^\s*(?:testI|i)mplementation\b.*$/gmu, "")
    .replaceAll(/\s+/gu, " ");
}

const RUN_KEYS = ["scripts", "jest", "vitest", "mocha", "ava", "type", "imports", "overrides", "resolutions", "autoload-dev", "config"];

function runPartOfJson(text: string): string {
  try {
    const manifest = JSON.parse(text || "{}") as Record<string, unknown>;
    return JSON.stringify(RUN_KEYS.map((key) => manifest[key] ?? null));
  } catch {
    // A manifest that can't be read may mean anything to the tools that read it.
    return text;
  }
}

function sectionsOf(text: string, wanted: RegExp): string {
  let isWanted = false;
  const kept: string[] = [];
  for (const row of text.split("\n")) {
    if (row.startsWith("[")) isWanted = wanted.test(row);
    if (isWanted && row.trim() !== "") kept.push(row.trim());
  }
  return kept.join("\n");
}
