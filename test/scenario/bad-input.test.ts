import { spawnSync } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Client } from "../../src/client/client.ts";
import { TestHome } from "../support/daemon.ts";
import { GithubScene } from "../support/github-scene.ts";
import { needs } from "../support/needs.ts";
import { git, makeRepository, type RepositoryOptions } from "../support/repository.ts";

// Also: a wrong token, a body of 10 MB, and hostile requests in test/api/hostile.test.ts; a port that is taken in
// test/cli/daemon.process.test.ts; an unknown setting in the file of a running daemon in stop.test.ts; what can't be registered
// in test/workspace/inspect.test.ts; every way a configuration can be wrong in src/config.
/** Leaves its prompt in the workspace and is done. */
const NOTE = `cp "$DROVER_PROMPT_FILE" ./prompt.md; echo '{"type":"turn_ended","verdict":{"ok":true},"report":"Noted. 記録 🐑"}'`;
const notes = { driver: "command", command: ["sh", "-c", NOTE] };
const config = { agents: { notes }, defaults: { agent: "notes", retryDelayMs: 0 } };

describe("a configuration that is wrong", () => {
  test.each([
    ["an unknown key", "daemon:\n  maxProceses: 3\n", /config\.yaml:2:3: .*maxProceses.*maxProcesses/],
    ["broken YAML", "daemon: [1, 2\n", /config\.yaml:\d+:\d+: /],
  ])("by %s keeps the daemon from starting, with the place; put right, nothing is missing", async (_, text, says) => {
    await using home = await TestHome.make(config);
    const file = join(home.home, "config.yaml");
    const right = readFileSync(file, "utf8");
    const first = await home.start();
    await first.client.changeQueue({ body: { paused: true } });
    await fileTask(first.client, makeRepository(join(home.folder, "api")).path);
    await first.stop();

    writeFileSync(file, text);
    await expect(home.start()).rejects.toMatchObject({ exitCode: 1, said: expect.stringMatching(says) });
    writeFileSync(file, right);
    const next = await home.start();
    expect(await next.client.getQueue()).toMatchObject({ paused: true, queued: 1 });
  });

  test("by broken YAML while the daemon runs raises an alert, and work goes on as before", async () => {
    await using home = await TestHome.make(config);
    const daemon = await home.start();
    writeFileSync(join(home.home, "config.yaml"), "daemon: [1, 2\n");
    await daemon.until((event) => event.type === "alert.raised");
    expect((await daemon.client.listAlerts()).items).toMatchObject([
      { kind: "config_rejected", message: expect.stringMatching(/config\.yaml:\d+:\d+: /) },
    ]);
    expect(await daemon.client.health()).toMatchObject({
      status: "degraded",
      problems: [
        "1 open alert: drover alert list",
        "The configuration file has an error; the last good one is in force: drover config validate",
      ],
    });
    expect((await fetch(`${daemon.url}/health`)).status).toBe(200);
    await fileTask(daemon.client, makeRepository(join(home.folder, "api")).path);
    expect((await daemon.settledTask("api#1")).status).toBe("succeeded");
  });
});

test("what is not there is told by its name", async () => {
  await using home = await TestHome.make();
  const { client } = await home.start();
  const task = { params: { task: "api#9" } };
  const refusal = { code: "not_found", message: 'There is no task "api#9". List them with: drover task list' };
  for (const call of [client.getTask, client.cancelTask, client.retryTask, client.getTaskDiff])
    await expect(call(task)).rejects.toMatchObject(refusal);
  await expect(client.restoreTask({ ...task, body: { to: "/nowhere" } })).rejects.toMatchObject(refusal);
  await expect(client.createTask({ body: { project: "nope", title: "x" } })).rejects.toMatchObject({
    code: "not_found",
    message: expect.stringContaining('"nope"'),
  });
  await expect(client.registerProject({ body: { path: home.folder } })).rejects.toMatchObject({
    code: "invalid",
    message: expect.stringContaining("your home folder"),
  });
  await expect(client.registerProject({ body: { path: join(home.folder, "none") } })).rejects.toMatchObject({ code: "not_found" });
});

describe("a repository", () => {
  test.each<[string, RepositoryOptions]>([
    ["that is dirty", { dirty: true }],
    ["that is bare", { bare: true }],
    ["whose branch is not main", { branch: "trunk" }],
    ["whose branch has a name in another script", { branch: "主線-🐑" }],
    ["with a remote of another name of branch", { branch: "develop", remote: true }],
  ])("%s is worked on, and stays as it is", async (_, options) => {
    await using home = await TestHome.make(config);
    const repository = makeRepository(join(home.folder, "api"), options);
    const state = () => [repository.git("rev-parse", "HEAD"), options.bare ? "" : repository.git("status", "--porcelain")];
    const before = state();
    const daemon = await home.start();
    const { baseBranch } = await fileTask(daemon.client, repository.path);
    const task = await daemon.settledTask("api#1");
    expect([baseBranch, task.status, task.pullRequest?.number]).toEqual([repository.branch, "succeeded", 1]);
    expect(git(repository.path, "diff", "--name-only", repository.branch, task.branch ?? "")).toBe("prompt.md");
    expect(git(repository.path, "show", "refs/drover/pulls/1:pull.md")).toContain(`base: ${JSON.stringify(repository.branch)}`);
    expect(state()).toEqual(before);
  });

  test("without a commit fails its task with what to do, and works once it has one", async () => {
    await using home = await TestHome.make({ ...config, defaults: { ...config.defaults, retryAttempts: 1 } });
    const repository = makeRepository(join(home.folder, "api"), { files: {} });
    const daemon = await home.start();
    await fileTask(daemon.client, repository.path);
    const task = await daemon.settledTask("api#1");
    expect([task.status, task.reason, task.message]).toEqual([
      "failed",
      "workspace_failed",
      expect.stringContaining("no commit yet. Push a first one to main"),
    ]);
    expect((await daemon.client.listAlerts()).items).toMatchObject([{ kind: "task_failed", subject: "api#1" }]);
    repository.commit({ "README.md": "# First\n" });
    await daemon.client.retryTask({ params: { task: "api#1" } });
    expect((await daemon.taskWith("api#1", "succeeded")).runs).toHaveLength(2);
    expect((await daemon.client.listAlerts()).items).toEqual([]);
  });
});

describe("an agent", () => {
  test.each([
    ["that is not installed", ["no-such-agent"], "agent_missing", /no program no-such-agent/],
    ["that is logged out", ["./claude"], "auth", /claude is not logged in\. .*log in/],
    ["that is too old", ["./old"], "agent_missing", /2\.0\.14; .* or newer is needed/],
  ])("%s fails its task at once with what to do, and the next task runs", async (_, [program = ""], reason, says) => {
    await using home = await TestHome.make();
    const command = program.startsWith("./") ? join(home.folder, program) : program;
    await useAgents(home, { claude: { driver: "claude", command: [command] }, notes });
    fakeProgram(join(home.folder, "claude"), "9.9.9 (Claude Code)");
    fakeProgram(join(home.folder, "old"), "2.0.14 (Claude Code)");
    const daemon = await home.start();
    const { path } = makeRepository(join(home.folder, "api"));
    await fileTask(daemon.client, path);
    const task = await daemon.settledTask("api#1");
    expect([task.status, task.reason, task.attempt, task.message]).toEqual(["failed", reason, 1, expect.stringMatching(says)]);
    expect((await daemon.client.listAlerts()).items.map(({ kind, subject }) => [kind, subject])).toEqual([
      ["task_failed", "api#1"],
      // The next task would meet the same.
      ["circuit_open", "worker:claude"],
    ]);

    makeRepository(join(home.folder, "other"), { files: { ".drover/config.yaml": "version: 1\ndefaults: { agent: notes }\n" } });
    await daemon.client.registerProject({ body: { path: join(home.folder, "other") } });
    await daemon.client.createTask({ body: { project: "other", title: "Go on" } });
    expect((await daemon.settledTask("other#1")).status).toBe("succeeded");
  });
});

describe("text of any kind", () => {
  const titles = {
    "shell characters": "$(touch pwned) `touch pwned`; touch pwned | & > pwned '\"\\ ../../../pwned -rf",
    "other scripts and emoji": "合計が引き算になる 🐑 مجموع שלום",
  };

  test.skipIf(!needs("git-http-backend").ok).each(Object.entries(titles))(
    "%s in an issue stay text from the title to the pull request",
    async (_, title) => {
      await using scene = await GithubScene.open({ config });
      const body = `${title}\n\n名前は「合計」です。🐑`;
      scene.repository.openIssue({ title, body, labels: ["Claude"] });
      const daemon = await scene.home.start();
      await scene.register(daemon);
      const task = await daemon.settledTask("api#1");
      expect([task.title, task.status, task.branch]).toEqual([title, "succeeded", expect.stringMatching(/^drover\/1-[a-z0-9-]+$/)]);
      const head = `${task.branch}:prompt.md`;
      expect(git(scene.repository.path, "show", head)).toContain(`\n${title}\n\n${body}\n`);
      const [pull] = scene.repository.pulls();
      expect(pull?.title.replaceAll("\\", "")).toBe(title.replaceAll("\\", ""));
      expect(pull?.body).toContain("Noted. 記録 🐑");
      // Its workspace is removed now or later; from here on nothing changes any more.
      await daemon.stop();
      expect(pwned(scene.home.folder)).toEqual([]);
    },
  );

  test("a repository in a folder with any name, and files with such names, go all the way", async () => {
    await using home = await TestHome.make({ ...config, checks: [{ name: "確認", command: "cat '見積 🐑.txt'" }] });
    const file = { "見積 🐑.txt": "三百円\n" };
    const { path } = makeRepository(join(home.folder, "プロジェクト 🐑 $(touch pwned)"), { files: file });
    const daemon = await home.start();
    const { name } = await daemon.client.registerProject({ body: { path } });
    await daemon.client.createTask({ body: { project: name, title: "見積を書く", body: "金額は三百円 🐑" } });
    const task = await daemon.settledTask(`${name}#1`);
    expect(task.status).toBe("succeeded");
    const pull = git(path, "show", "refs/drover/pulls/1:pull.md");
    for (const text of ['title: "見積を書く"', "`確認`", "cat '見積 🐑.txt'"]) expect(pull).toContain(text);
    expect(git(path, "show", `${task.branch}:prompt.md`)).toContain("金額は三百円 🐑");
    expect(await daemon.client.getTaskDiff({ params: { task: task.id } })).toContain("金額は三百円 🐑");
    await daemon.stop();
    expect(pwned(home.folder)).toEqual([]);
  });
});

test.skipIf(!needs("tmpfs").ok).each(["a new one", "one that was used"])("a home that can't be written to is told: %s", async (which) => {
  await using home = await TestHome.make();
  if (which !== "a new one") await (await home.start()).stop();
  const mount = `mount --bind "$DROVER_HOME" "$DROVER_HOME" && mount -o remount,ro,bind "$DROVER_HOME" && exec "$@"`;
  const main = join(import.meta.dirname, "../../src/daemon/main.ts");
  const env = { PATH: process.env["PATH"], DROVER_HOME: home.home };
  const ran = spawnSync("unshare", ["--mount", "sh", "-c", mount, "sh", process.execPath, main], { env, encoding: "utf8" });
  expect([ran.status, ran.stdout, ran.stderr]).toEqual([
    1,
    "",
    expect.stringMatching(
      `^drover: Drover cannot keep its files in ${home.home}: EROFS: read-only file system[^\n]*Make it writable, or name another folder in DROVER_HOME\\.\n$`,
    ),
  ]);
});

describe("a full queue", () => {
  test("refuses one more with 429 and a time, and keeps what it has", async () => {
    await using home = await TestHome.make({ ...config, daemon: { queueMax: 2 } });
    const daemon = await home.start();
    const { client } = daemon;
    await client.changeQueue({ body: { paused: true } });
    await fileTask(client, makeRepository(join(home.folder, "api")).path);
    await client.createTask({ body: { project: "api", title: "Two" } });
    const { token } = JSON.parse(readFileSync(join(home.home, "auth.json"), "utf8")) as { token: string };
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const body = JSON.stringify({ project: "api", title: "Three", idempotencyKey: "three" });
    const refused = await fetch(`${daemon.url}/api/tasks`, { method: "POST", headers, body });
    expect([refused.status, Number(refused.headers.get("retry-after")) > 0]).toEqual([429, true]);
    expect(await refused.json()).toMatchObject({ code: "too_many", detail: expect.stringContaining("daemon.queueMax") });

    expect((await client.getQueue()).queued).toBe(2);
    await client.changeQueue({ body: { paused: false } });
    for (const key of ["api#1", "api#2"]) expect((await daemon.settledTask(key)).status).toBe("succeeded");
    expect((await fetch(`${daemon.url}/api/tasks`, { method: "POST", headers, body })).status).toBe(201);
    expect((await daemon.settledTask("api#3")).status).toBe("succeeded");
  });

  test.skipIf(!needs("git-http-backend").ok)("leaves issues where they are until there is room", async () => {
    await using scene = await GithubScene.open({ config: { ...config, daemon: { queueMax: 1 } } });
    const daemon = await scene.home.start();
    await scene.register(daemon);
    await daemon.client.changeQueue({ body: { paused: true } });
    for (const title of ["One", "Two"]) scene.repository.openIssue({ title, labels: ["Claude"] });
    await expect(scene.poll(daemon)).rejects.toMatchObject({ message: expect.stringContaining("daemon.queueMax") });
    expect((await daemon.client.listTasks()).items.map(({ title }) => title)).toEqual(["One"]);
    await daemon.client.changeQueue({ body: { paused: false } });
    await daemon.settledTask("api#1");
    await scene.poll(daemon);
    expect((await daemon.settledTask("api#2")).title).toBe("Two");
  });
});

/** Registers the repository as `api` and files a task in it. */
async function fileTask(client: Client, path: string) {
  const project = await client.registerProject({ body: { path, name: "api" } });
  await client.createTask({ body: { project: "api", title: "Note it" } });
  return project;
}

async function useAgents({ home }: TestHome, agents: Record<string, unknown>): Promise<void> {
  writeFileSync(join(home, "config.yaml"), JSON.stringify({ version: 1, daemon: { port: 0, tickMs: 1000 }, agents }));
}

function fakeProgram(path: string, says: string): void {
  writeFileSync(path, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(path, 0o755);
}

function pwned(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => basename(path) === "pwned");
}
