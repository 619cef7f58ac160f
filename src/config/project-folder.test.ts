import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { bootstrapLanguages } from "../detect/bootstrap.ts";
import { readReports } from "../reports/report.ts";
import { loadConfig, loadProjectConfig } from "./load.ts";
import { initProject, projectConfigFile } from "./project-folder.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drover-project-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const load = () => loadProjectConfig(loadConfig({ globalFile: join(folder, "none.yaml"), env: {} }), projectConfigFile(folder));
/** What the project's file says, besides the defaults. */
const said = () =>
  Object.fromEntries(
    load()
      .settings()
      .filter(({ origin }) => origin === "project file")
      .map(({ key, value }) => [key, value]),
  );
/** The same without what the project is made of. */
const saidOfChecks = () => Object.fromEntries(Object.entries(said()).filter(([key]) => !key.startsWith("project.")));
const test_ = (command: string) => [{ name: "test", command, timeoutMs: 600_000 }];

test("a new git repository gets its folder, with a valid configuration that says nothing", () => {
  execFileSync("git", ["init", "--quiet", folder]);
  const detected = { parts: [], question: expect.stringMatching(/^In which language is this/u) };
  expect(initProject(folder)).toEqual({ file: projectConfigFile(folder), setup: null, checks: [], detected, begun: [] });
  expect(readdirSync(join(folder, ".drover")).toSorted()).toEqual([".gitignore", "config.yaml", "issues", "prompts", "skills"]);
  expect([said(), load().warnings]).toEqual([{}, []]);
  const text = readFileSync(projectConfigFile(folder), "utf8");
  expect(text).toContain("\n# checks:\n#   - name: test\n#     command: make test\n");
  for (const name of ["agent.log", "agent.log.1", "config.yaml.bak"]) {
    mkdirSync(join(folder, ".drover", "cache"), { recursive: true });
    writeFileSync(join(folder, ".drover", name), "");
  }
  const untracked = execFileSync("git", ["-C", folder, "status", "--porcelain", "--untracked-files=all"], { encoding: "utf8" });
  expect(untracked).toBe("?? .drover/.gitignore\n?? .drover/config.yaml\n");
});

test("what is known about the project is written down", () => {
  initProject(folder, { repository: "owner/name", labels: ["bot"], language: "de: ja" });
  expect(said()).toEqual({ "github.repository": "owner/name", "intake.labels": ["bot"], "defaults.language": "de: ja" });
});

const manifest = (script: string) => JSON.stringify({ name: "x", scripts: { test: script } });
test.each<[string, Record<string, string>, Record<string, unknown>]>([
  [
    "npm with a lock",
    { "package.json": manifest("vitest"), "package-lock.json": "{}" },
    { "workspace.setup": "npm ci", checks: test_("npm test") },
  ],
  [
    "npm without one",
    { "package.json": JSON.stringify({ scripts: { test: "vitest" }, devDependencies: { vitest: "5" } }) },
    { "workspace.setup": "npm install", checks: test_("npm test") },
  ],
  ["npm with nothing to install", { "package.json": manifest("node --test") }, { checks: test_("npm test") }],
  ["pnpm", { "package.json": manifest("vitest"), "pnpm-lock.yaml": "" }, { "workspace.setup": "pnpm install", checks: test_("pnpm test") }],
  ["npm's own test script, which only fails", { "package.json": manifest('echo "Error: no test specified" && exit 1') }, {}],
  ["a broken manifest", { "package.json": "{" }, {}],
  ["Go", { "go.mod": "module x\n" }, { checks: test_("go test ./...") }],
  ["Rust", { "Cargo.toml": "[package]\n" }, { checks: test_("cargo test") }],
  ["Python with pytest", { "pyproject.toml": "[tool.pytest.ini_options]\n" }, { checks: test_("python3 -m pytest") }],
  ["Python without", { "pyproject.toml": "[project]\n" }, {}],
  ["make", { Makefile: "all:\n\ntest: all\n\ttrue\n" }, { checks: test_("make test") }],
])("the checks of a project follow from its files: %s", (_, files, settings) => {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  initProject(folder);
  expect(saidOfChecks()).toEqual(settings);
});

test("what the project is made of is written down, to be corrected, and asked where its files do not tell", () => {
  mkdirSync(join(folder, "api"));
  writeFileSync(join(folder, "api", "go.mod"), "module x\n");
  initProject(folder);
  expect(said()).toEqual({
    "project.language": "go",
    "project.sourceRoot": "api",
    "project.testRoot": "api",
    "project.tests": {
      all: "cd 'api' && go test -json ./... >{report} 2>&1",
      selected: null,
      coverage: "cd 'api' && go test -cover ./...",
      format: "go",
      reports: [],
      files: ["api/**/*_test.go", "api/**/testdata/**"],
      settings: [],
      timeoutMs: 600_000,
      reruns: 3,
    },
    checks: test_("cd 'api' && go test ./..."),
  });
  expect(readFileSync(projectConfigFile(folder), "utf8")).toContain("# What the project is made of, as its files tell.");
});

test.each(bootstrapLanguages)("an empty folder begins with code, a test, and a command that runs it: %s", (language) => {
  const { detected, begun } = initProject(folder, { begin: language });
  expect(detected).toMatchObject({ parts: [{ language, folder: "" }], question: null });
  const { testRoot = "", sourceRoot = "", tests } = detected.parts[0] ?? {};
  for (const root of [testRoot, sourceRoot]) expect(existsSync(join(folder, root))).toBe(true);
  expect(begun.length).toBeGreaterThan(2);
  const program = tests?.all.split(" ")[0] ?? "";
  // Go is not on every machine that runs these tests; what it would be asked is in the tests of detection.
  if (!["node", "python3"].includes(program)) return;
  const command = tests?.all.replaceAll("{report}", "report.txt") ?? "";
  const env = { PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}` };
  execFileSync("sh", ["-c", command], { cwd: folder, env, stdio: "pipe" });
  const results = readReports(tests?.format ?? "tap", [readFileSync(join(folder, "report.txt"), "utf8")], folder);
  expect(results.map(({ status }) => status)).toEqual(["passed"]);
});

test("nothing is begun where something is", () => {
  writeFileSync(join(folder, "main.c"), "");
  expect(() => initProject(folder, { begin: "go" })).toThrow("is not empty (main.c)");
});

test("a project that is set up already is left as it is, and so is what else is in its folder", () => {
  mkdirSync(join(folder, ".drover", "prompts"), { recursive: true });
  writeFileSync(join(folder, ".drover", ".gitignore"), "mine\n");
  initProject(folder);
  expect(readFileSync(join(folder, ".drover", ".gitignore"), "utf8")).toBe("mine\n");
  writeFileSync(projectConfigFile(folder), "version: 1\n");
  expect(() => initProject(folder)).toThrow("is set up already");
  expect(readFileSync(projectConfigFile(folder), "utf8")).toBe("version: 1\n");
});

test("there must be a directory", () => {
  expect(() => initProject(join(folder, "none"))).toThrow("is not a directory");
});
