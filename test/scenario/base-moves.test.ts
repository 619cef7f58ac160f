import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestHome, type TestDaemon } from "../support/daemon.ts";
import { expectNothingLeft } from "../support/leftovers.ts";
import { COMPLETE } from "../support/obeying-scene.ts";
import { git, makeRepository, type TestRepository } from "../support/repository.ts";

const program = (name: string) => join(import.meta.dirname, "../programs", name);
const CHECK = { name: "test", command: "! grep -qs wrong answer.txt" };

interface Scene {
  readonly home: TestHome;
  readonly source: TestRepository;
}

let scene: Scene;
beforeEach(async () => {
  const agents = { obeys: { driver: "command", command: ["sh", program("does-its-order.sh")] } };
  const home = await TestHome.make({
    agents,
    daemon: { tickMs: 60_000 },
    defaults: { agent: "obeys", retryDelayMs: 0, pollingInterval: 600_000 },
    checks: [CHECK],
  });
  const source = makeRepository(join(home.folder, "api"), { files: { "README.md": "# Sample\n", "shared.txt": "shared\n" } });
  scene = { home, source };
});
afterEach(() => scene.home[Symbol.asyncDispose]());

/** Registers the project and files a task whose agent does this. */
async function file(daemon: TestDaemon, order: string): Promise<void> {
  const { items } = await daemon.client.listProjects();
  if (items.length === 0) await daemon.client.registerProject({ body: { path: scene.source.path, name: "api" } });
  await daemon.client.createTask({ body: { project: "api", title: "Do it", body: `ORDER: ${order}; ${COMPLETE}` } });
}

const poll = (daemon: TestDaemon) => daemon.client.pollProject({ params: { project: "api" } });
const shown = (path: string, branch: string) => git(scene.source.path, "show", `${branch}:${path}`);

test(
  "a finished branch contains what was pushed to the base since, and its pull request has the proof of that",
  { timeout: 400_000 },
  async () => {
    const daemon = await scene.home.start();
    await file(daemon, "echo right >answer.txt");
    const task = await daemon.settledTask("api#1");
    const base = scene.source.commit({ "shared.txt": "by somebody\n" });
    await poll(daemon);
    await daemon.until((event) => event.type === "branch.moved");
    await expect.poll(() => git(scene.source.path, "show", "refs/drover/pulls/1:pull.md"), { timeout: 60_000 }).toContain(base);
    const branch = task.branch ?? "";
    expect([git(scene.source.path, "merge-base", branch, "main"), shown("answer.txt", branch), shown("shared.txt", branch)]).toEqual([
      base,
      "right",
      "by somebody",
    ]);
    await expectNothingLeft(scene.home, daemon);
  },
);

test("unfinished work that conflicts waits for a person, and is then resolved by its agent", { timeout: 400_000 }, async () => {
  const { home, source } = scene;
  const daemon = await home.start();
  // The first run fails its check, and the base moves before the second begins.
  await daemon.client.registerProject({ body: { path: source.path, name: "api" } });
  // Nobody may push to a branch that is checked out.
  source.git("switch", "--quiet", "--create", "elsewhere");
  const resolves = 'if grep -q "leave no [m]arker" "$DROVER_PROMPT_FILE"; then echo by both >shared.txt; echo right >answer.txt; ';
  const first = `else echo by the agent >shared.txt; echo wrong >answer.txt; echo kept >untracked.txt; sh ${join(home.folder, "push.sh")}; fi`;
  makePush();
  await file(daemon, `${resolves}${first}`);
  const blocked = await daemon.taskWith("api#1", "blocked", "failed", "succeeded");
  expect([blocked.status, blocked.reason, blocked.message]).toEqual([
    "blocked",
    "base_conflict",
    expect.stringContaining("conflicts with the newest base in shared.txt"),
  ]);
  expect((await daemon.client.listAlerts()).items.map(({ kind, subject }) => [kind, subject])).toEqual([["base_conflict", "api#1"]]);
  const folder = join(home.home, "workspaces", "api", "1-do-it");
  expect(["rebase-merge", "rebase-apply", "MERGE_HEAD"].filter((name) => existsSync(join(folder, ".git", name)))).toEqual([]);
  expect(git(folder, "show", "HEAD:shared.txt")).toBe("shared");

  await daemon.client.retryTask({ params: { task: "api#1" } });
  const task = await daemon.settledTask("api#1");
  const branch = task.branch ?? "";
  expect(task.status).toBe("succeeded");
  expect(["shared.txt", "answer.txt", "untracked.txt"].map((path) => shown(path, branch))).toEqual(["by both", "right", "kept"]);
  expect(git(source.path, "merge-base", branch, "main")).toBe(git(source.path, "rev-parse", "main"));
  expect((await daemon.client.listAlerts()).items).toEqual([]);
  expect(await daemon.client.verifyStore()).toMatchObject({ ok: true, problems: [] });
  await expectNothingLeft(home, daemon);
});

/** A program that pushes to the base what the agent's work conflicts with. */
function makePush(): void {
  const { home, source } = scene;
  const other = join(home.folder, "other");
  git(home.folder, "clone", "--quiet", source.path, other);
  git(other, "config", "user.name", "Bea");
  git(other, "config", "user.email", "bea@example.org");
  const lines = [
    `cd ${other}`,
    "echo by somebody >shared.txt",
    "git commit --quiet --all --message=Mine",
    "git push --quiet origin HEAD:main",
  ];
  writeFileSync(join(home.folder, "push.sh"), `unset GIT_DIR\n${lines.join(" && ")}\n`);
}
