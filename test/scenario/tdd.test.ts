import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { stringify } from "yaml";
import { detectProject } from "../../src/detect/detect-project.ts";
import { COMPLETE, openObeyingScene, type ObeyingScene } from "../support/obeying-scene.ts";
import { git, writeFiles } from "../support/repository.ts";
import { SLUG, SLUG_TEST, SLUG_WANTED, textProject } from "../support/text-project.ts";

vi.setConfig({ testTimeout: 240_000 });

/** What the agent of the next run leaves behind. */
async function leave(scene: ObeyingScene, files: Readonly<Record<string, string>>): Promise<void> {
  const writes = Object.entries(files).map(
    ([path, text]) => `mkdir -p $(dirname ${path}); echo ${Buffer.from(text).toString("base64")} | base64 -d >${path}`,
  );
  await scene.order([...writes, COMPLETE].join("; "));
}

test("a cycle: a test that shows nothing is refused and told, a refactoring that breaks something is undone, the evidence goes with the pull request", async () => {
  await using scene = await openObeyingScene({ defaults: { retryAttempts: 3, retryDelayMs: 0 } });
  const tests = detectProject({ paths: Object.keys(textProject), textOf: (path) => textProject[path as keyof typeof textProject] }).parts[0]
    ?.tests;
  writeFiles(scene.path, { ...textProject, ".drover/config.yaml": stringify({ version: 1, project: { tests: { ...tests, reruns: 2 } } }) });
  git(scene.path, "add", "--all");
  git(scene.path, "commit", "--quiet", "--message=A project");
  const daemon = await scene.home.start();
  await daemon.client.registerProject({ body: { path: scene.path, name: "api" } });
  await daemon.client.createTask({ body: { project: "api", title: "Slugs", body: SLUG_WANTED, workflow: "tdd" } });

  await leave(scene, { "test/words.test.ts": `${textProject["test/words.test.ts"]}test("also", () => assert.ok(words("a")));\n` });
  await leave(scene, { "test/slug.test.ts": SLUG_TEST, "test/words.test.ts": textProject["test/words.test.ts"] });
  await leave(scene, { "src/slug.ts": SLUG, "test/slug.test.ts": SLUG_TEST.replace('"hi-you"', '"hi"') });
  await leave(scene, { "src/slug.ts": SLUG, "test/slug.test.ts": SLUG_TEST });
  const broken = SLUG.replace('"-"', '"_"');
  await leave(scene, { "src/slug.ts": broken });
  await leave(scene, { "src/slug.ts": broken });

  const task = await daemon.settledTask("api#1");
  const runs = task.runs.toReversed();
  expect([task.status, task.message]).toEqual(["succeeded", null]);
  expect(
    runs.map(({ stage, attempt, outcome }) => {
      const proof = outcome && "proof" in outcome ? outcome.proof : null;
      return [stage, attempt, outcome?.status, proof?.gate?.findings.map(({ rule }) => rule)];
    }),
  ).toEqual([
    ["red", 1, "failed", ["already_passes"]],
    ["red", 2, "succeeded", []],
    ["green", 1, "failed", ["test_changed"]],
    ["green", 2, "succeeded", []],
    ["refactor", 1, "failed", ["new_failure", "new_failure"]],
    ["refactor", 2, "succeeded", ["new_failure", "new_failure"]],
    ["verify", 1, "succeeded", []],
  ]);
  const prompt = (index: number) => readFileSync(join(scene.home.home, "runs", task.id, runs[index]?.id ?? "", "prompt.md"), "utf8");
  expect(prompt(1)).toContain("already_passes: What is new passes already");
  expect(prompt(3)).toContain("test_changed: test/slug.test.ts:6 was changed");
  // What was refused of the refactoring is nowhere but behind a ref.
  expect(git(scene.path, "show", `${task.branch}:src/slug.ts`)).toBe(SLUG.trimEnd());
  expect(git(scene.path, "log", "--format=%s", `${task.branch}`)).not.toContain("_");
  const pull = git(scene.path, "show", `refs/drover/pulls/${task.pullRequest?.number}:pull.md`);
  expect(pull).toContain("## Cycle");
  expect(pull.match(/^\| (?:red|green|refactor|verify) \| \S+/gmu)).toEqual([
    "| red | **refused**",
    "| red | accepted",
    "| green | **refused**",
    "| green | accepted",
    "| refactor | **refused**",
    "| refactor | **refused**",
    "| verify | accepted",
  ]);
  expect(pull).toContain("not ok test/slug.test.ts");
  expect(pull).toContain("ok takes away what is no letter");
  expect(pull).toContain("The refactoring was undone");
});

test("without a word on how tests are run, a task with a gate says what to set", async () => {
  await using scene = await openObeyingScene();
  const daemon = await scene.home.start();
  await daemon.client.registerProject({ body: { path: scene.path, name: "api" } });
  await daemon.client.createTask({ body: { project: "api", title: "Slugs", workflow: "tdd" } });
  await leave(scene, { "test/slug.test.ts": SLUG_TEST });
  const task = await daemon.settledTask("api#1");
  expect([task.status, task.message]).toEqual([
    "failed",
    expect.stringMatching(/^How the tests of api are run is not known.*set project\.tests/u),
  ]);
});
