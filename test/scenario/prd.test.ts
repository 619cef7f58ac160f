import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test, vi } from "vitest";
import { homePaths } from "../../src/base/paths.ts";
import type { PrdPreview } from "../../src/contract/prd.ts";
import { stateOfCheckout } from "../support/leftovers.ts";
import { needs } from "../support/needs.ts";
import { builds, calculator, PrdScene, reportOf, TASK_PROMPT, tasks } from "../support/prd-scene.ts";
import { git, temporaryFolder } from "../support/repository.ts";

// The real daemon and the real git; a GitHub of our own; agents that answer by what they are told.
vi.setConfig({ testTimeout: 480_000 });

const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** The command line as a shell starts it: its exit code, and what it printed. */
async function drover(scene: PrdScene, ...words: string[]): Promise<{ code: number | null; out: string }> {
  const { home } = scene.github;
  const env = { PATH: process.env["PATH"], HOME: home.folder, DROVER_HOME: home.home, LANG: "C.UTF-8" };
  const child = spawn(process.execPath, [program, ...words], { env, stdio: ["ignore", "pipe", "pipe"] });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { code: code as number | null, out: `${out}${err}` };
}

function writePrd(scene: PrdScene): string {
  const file = join(scene.github.home.folder, "calculator.md");
  writeFileSync(file, calculator);
  return file;
}

/** Runs the tests of a branch by hand, in a fresh clone. */
function testBranch(scene: PrdScene, branch: string): string {
  using folder = temporaryFolder();
  const clone = join(folder.path, "clone");
  git(folder.path, "clone", "--quiet", "--branch", branch, scene.github.repository.path, clone);
  return execFileSync(process.execPath, ["--test"], { cwd: clone, encoding: "utf8", env: { PATH: process.env["PATH"] } });
}

describe.skipIf(!needs("git-http-backend").ok)("a PRD", () => {
  test("becomes one pull request whose tests pass when run by hand", async () => {
    await using scene = await PrdScene.open({ daemon: { maxProcesses: 6 }, defaults: { model: "small-1" } });
    const lost = { tasks: tasks.tasks.slice(0, 2) };
    scene.answer({ ...builds.tasks, report: reportOf(lost), times: 1 }, { ...builds.tasks, when: "sent back" }, ...Object.values(builds));
    const daemon = await scene.github.home.start();
    const file = writePrd(scene);
    await expectNoEffect(scene, async () => {
      const ingested = await drover(scene, "prd", "ingest", file, "--json");
      expect((JSON.parse(ingested.out) as PrdPreview).passes.map(({ pass, findings }) => [pass, findings])).toEqual([
        ["phases", []],
        ["tasks", []],
        ["acceptance", []],
        ["order", []],
      ]);
    });
    const { out, code } = await drover(scene, "prd", "run", file, "--target", scene.github.checkout, "--pr");
    expect([code, out.trim().split("\n").at(-1)]).toEqual([0, `${scene.github.github.url}/acme/api/pull/1`]);

    const [pull] = scene.github.repository.pulls();
    expect([scene.github.repository.pulls().length, pull?.title, pull?.pull?.base]).toEqual([1, "A small calculator", "main"]);
    for (const part of ["api#2", "sum.js", "product.js", "mean.js", "tests"]) expect(pull?.body).toContain(part);
    expect(testBranch(scene, pull?.pull?.head ?? "")).toMatch(/pass 4\n.*fail 0/s);

    const status = await daemon.client.getPrd({ params: { task: "api#1" } });
    expect(status.passes.map(({ pass, by, findings }) => [pass, by, findings])).toEqual([
      ["phases", "agent", []],
      ["tasks", "agent", ["No task serves the requirement R3: add it to one, or add a task."]],
      ["acceptance", "agent", []],
      ["order", "structure", []],
    ]);
    expect(status.waves).toEqual([["T1", "T2"], ["T3"]]);
    expectTwoAtATime(scene);
    expect(new Set(scene.asked().map(({ model }) => model))).toEqual(new Set(["small-1"]));
    // The same PRD again is the same task, which is done.
    expect((await drover(scene, "prd", "run", file, "--target", scene.github.checkout, "--pr")).out).toContain(
      `${scene.github.github.url}/acme/api/pull/1`,
    );
    expect((await daemon.client.listTasks()).items.length).toBe(4);
  });

  test("outlives a kill in the middle, and opens no pull request while one of its tasks fails", async () => {
    await using scene = await PrdScene.open();
    const { github } = scene;
    const small = { tasks: [tasks.tasks[0], { ...tasks.tasks[2], requirements: ["R2", "R3"] }] };
    const tests = { tests: ["T1", "T3"].map((task) => ({ task, acceptance: ["sum(1, 2) is 3"] })) };
    const own = [{ ...builds.tasks, report: reportOf(small) }, { ...builds.acceptance, report: reportOf(tests) }, builds.phases];
    scene.answer(...own, { ...builds.sum, until: "go" }, { ...builds.mean, fails: true });
    const daemon = await github.home.start();
    const run = ["prd", "run", writePrd(scene), "--target", github.checkout, "--pr"];
    const first = drover(scene, ...run);
    await expect.poll(() => askedToWrite(scene, "sum.js"), { timeout: 240_000 }).toBe(1);
    await daemon.kill();
    expect((await first).code).not.toBe(0);

    const next = await github.home.start();
    scene.release("go");
    const { code, out } = await drover(scene, ...run);
    expect([code, out]).toEqual([1, expect.stringContaining("api#3 failed: It does not know how.")]);
    expect([github.repository.pulls(), git(github.repository.path, "branch", "--format=%(refname:short)").trim()]).toEqual([[], "main"]);

    scene.answer(...own, builds.sum, builds.mean);
    await next.client.retryTask({ params: { task: "api#3" } });
    expect(await drover(scene, ...run)).toEqual({ code: 0, out: expect.stringContaining("/acme/api/pull/1") as string });
    expect(github.repository.pulls().map(({ title }) => title)).toEqual(["A small calculator"]);
    expect(testBranch(scene, github.repository.pulls()[0]?.pull?.head ?? "")).toMatch(/pass 3\n.*fail 0/s);
    expect(askedToWrite(scene, "sum.js")).toBe(1);
  });
});

/** Compares the rows of all tables and the person's checkout before and after. */
async function expectNoEffect({ github }: PrdScene, act: () => Promise<void>): Promise<void> {
  const look = () => {
    using database = new DatabaseSync(homePaths(github.home.home).database, { readOnly: true });
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
    const rows = tables.map(({ name }) => [name, database.prepare(`SELECT count(*) AS count FROM ${String(name)}`).get()?.["count"]]);
    return { rows, checkout: stateOfCheckout(github.checkout) };
  };
  const before = look();
  await act();
  expect(look()).toEqual(before);
}

/** How many agents were started for the task of a file. */
function askedToWrite(scene: PrdScene, file: string): number {
  return scene.asked().filter(({ prompt }) => prompt.includes(`Write ${file}.`) && prompt.includes(TASK_PROMPT)).length;
}

function expectTwoAtATime(scene: PrdScene): void {
  const spans = scene.asked().filter(({ prompt }) => prompt.includes(TASK_PROMPT));
  const atOnce = spans.map(({ from }) => spans.filter((other) => other.from <= from && from < (other.to ?? Infinity)).length);
  expect([spans.length, Math.max(...atOnce) <= 2]).toEqual([3, true]);
}
