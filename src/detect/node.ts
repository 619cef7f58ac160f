import type { PackageManager, TestFramework } from "../contract/detected-project.ts";
import { asObject, type Detector, type Folder } from "./project-files.ts";
import { testSetup } from "./test-setup.ts";

const TEST_FILES = ["**/*.test.*", "**/*.spec.*", "**/__tests__/**", "**/__snapshots__/**", "test/**", "tests/**"];
const CODE = /\.[cm]?[jt]sx?$/u;
const TYPED = /(?<!\.d)\.[cm]?tsx?$/u;

export const detectNode: Detector = (folder) => {
  if (!folder.has("package.json")) return undefined;
  const manifest = folder.json("package.json");
  const packageManager = managerOf(folder, manifest);
  const framework = frameworkOf(folder, manifest);
  const commands = framework && commandsOf(framework, packageManager, scriptOf(manifest));
  return {
    language: isTyped(folder, manifest) ? "typescript" : "javascript",
    packageManager,
    framework: framework ?? null,
    sourceRoot: folder.firstFolder("src", "lib", "source", "app") ?? ".",
    testRoot: folder.firstFolder("test", "tests", "__tests__", "spec", "src") ?? ".",
    setup: setupOf(folder, manifest, packageManager),
    tests: commands ? testSetup({ ...commands, files: TEST_FILES }) : null,
  };
};

type Manifest = Readonly<Record<string, unknown>>;

function managerOf(folder: Folder, { packageManager }: Manifest): PackageManager {
  const named = typeof packageManager === "string" ? packageManager.split("@")[0] : undefined;
  if (named === "npm" || named === "pnpm" || named === "yarn" || named === "bun") return named;
  if (folder.has("pnpm-lock.yaml")) return "pnpm";
  if (folder.has("yarn.lock")) return "yarn";
  return folder.has("bun.lock", "bun.lockb") ? "bun" : "npm";
}

function dependenciesOf(manifest: Manifest): Manifest {
  return { ...asObject(manifest["dependencies"]), ...asObject(manifest["devDependencies"]) };
}

function scriptOf(manifest: Manifest): string {
  const script = asObject(manifest["scripts"])["test"];
  return typeof script === "string" ? script : "";
}

/** The runner that the test script names, else one that is set up, else one that is installed. */
function frameworkOf(folder: Folder, manifest: Manifest): TestFramework | undefined {
  const script = scriptOf(manifest);
  const dependencies = dependenciesOf(manifest);
  const named = (["vitest", "jest", "mocha"] as const).find((name) => new RegExp(`\\b${name}\\b`, "u").test(script));
  if (named) return named;
  if (/\bnode\b.*\s--test\b/u.test(script)) return "node-test";
  if (folder.find(/^vitest\.config\.[cm]?[jt]s$/u)) return "vitest";
  if (folder.find(/^jest\.config\.(?:[cm]?[jt]s|json)$/u) || "jest" in manifest) return "jest";
  if (folder.find(/^\.mocharc\.(?:json|jsonc|ya?ml|[cm]?js)$/u)) return "mocha";
  return (["vitest", "jest", "mocha"] as const).find((name) => name in dependencies);
}

function commandsOf(framework: TestFramework, packageManager: PackageManager, script: string) {
  const run = { npm: "npx --no --", pnpm: "pnpm exec", yarn: "yarn", bun: "bunx" }[packageManager as "npm"];
  switch (framework) {
    case "vitest": {
      const all = `${run} vitest run --reporter=json --outputFile={report}`;
      return { all, selected: `${all} {files}`, coverage: `${run} vitest run --coverage`, format: "jest" as const };
    }
    case "jest": {
      const all = `${run} jest --ci --json --outputFile={report}`;
      return { all, selected: `${all} --runTestsByPath {files}`, coverage: `${run} jest --ci --coverage`, format: "jest" as const };
    }
    case "mocha": {
      const all = `${run} mocha --reporter xunit --reporter-option output={report}`;
      return { all, selected: `${all} {files}`, coverage: null, format: "junit" as const };
    }
    default:
      return nodeTest(script);
  }
}

/** Node.js's own runner with the options that the test script gives it, where that is nothing but one call of it. */
function nodeTest(script: string) {
  const given = /^node\s+((?:--[\w=.:@/-]+\s+)*)--test((?:\s+[\w*?.,{}/"'@=:-]+)*)\s*$/u.exec(script);
  const [, before = "", after = ""] = given ?? [];
  const isPlain = !/reporter|\bwatch\b/u.test(script);
  const options = isPlain ? before : "";
  const report = "--test-reporter=tap --test-reporter-destination={report}";
  return {
    all: `node ${options}--test ${report}${isPlain ? after : ""}`,
    selected: `node ${options}--test ${report} {files}`,
    coverage: `node ${options}--test --experimental-test-coverage${isPlain ? after : ""}`,
    format: "tap" as const,
  };
}

function isTyped(folder: Folder, manifest: Manifest): boolean {
  if (folder.has("tsconfig.json") || "typescript" in dependenciesOf(manifest)) return true;
  const code = folder.paths.filter((path) => CODE.test(path));
  return code.filter((path) => TYPED.test(path)).length * 2 > code.length;
}

function setupOf(folder: Folder, manifest: Manifest, packageManager: PackageManager): string | null {
  if (packageManager === "npm" && folder.has("package-lock.json")) return "npm ci";
  const needs = ["dependencies", "devDependencies", "workspaces"].some((key) => Object.keys(asObject(manifest[key])).length > 0);
  return needs || Array.isArray(manifest["workspaces"]) || packageManager !== "npm" ? `${packageManager} install` : null;
}
