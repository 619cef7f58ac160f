import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { TaskDetail } from "../../src/contract/routes.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { openClaudeScene, type ClaudeScene, type ClaudeSceneOptions } from "../support/claude-scene.ts";
import { GITHUB_TOKEN, HOOK_SECRET, type GithubScene } from "../support/github-scene.ts";
import { expectNothingLeft, processesNaming, refsOf, stateOfCheckout } from "../support/leftovers.ts";
import { needs } from "../support/needs.ts";
import { git, temporaryFolder, writeFiles } from "../support/repository.ts";
import { THE_WAY, wayOf } from "../support/task-way.ts";
import { lookStep, mendSteps, sumCheck, sumIssue, sumProject, writeSum } from "../support/sum-project.ts";

// Real Claude Code, its model scripted; a GitHub of our own with the real git behind it; the real daemon in its process.
describe.skipIf(!needs("claude", "network-namespace", "git-http-backend").ok)("an issue of GitHub's with Claude Code", () => {
  test("becomes a verified pull request", async () => {
    await using place = await openScene(({ folder }) => [
      { when: "TASK:", steps: [{ calls: [{ kind: "run", command: leaveEnvironment(folder) }] }, ...mendSteps] },
    ]);
    const { scene } = place;
    writeFiles(scene.checkout, { "sum.js": "// what the person is at\n", "notes/own.txt": "untracked\n" });
    const before = stateOfCheckout(scene.checkout);
    scene.repository.openIssue(sumIssue);
    const daemon = await scene.home.start();
    await scene.register(daemon);
    const task = await daemon.settledTask("api#1");

    expectPullRequest(scene, task);
    expectCloneToPass(scene, task.branch ?? "");
    expectOneComment(scene);
    expect(task.runs.map(({ usage }) => usage)).toEqual([usageOf(5)]);
    expect(task.usage).toEqual(usageOf(5));
    expectNoSecretsIn(readFileSync(join(place.folder, "environment"), "utf8"), scene);
    expect(await wayOf(daemon, task)).toEqual(THE_WAY);
    expect(stateOfCheckout(scene.checkout)).toEqual(before);
    await expectNothingLeft(scene.home, daemon);
    expect(stateOfCheckout(scene.checkout)).toEqual(before);
  });

  test("is taken in when a webhook tells of it, and each thing once however often it is told", async () => {
    await using place = await openScene(() => [{ when: "TASK:", steps: mendSteps }]);
    const { scene } = place;
    const daemon = await scene.home.start();
    await scene.register(daemon);
    scene.hook(daemon);
    scene.repository.openIssue(sumIssue);
    await scene.github.delivered();
    for (const delivery of scene.github.deliveries) await scene.github.redeliver(delivery);
    expectPullRequest(scene, await daemon.settledTask("api#1"));
    expect((await daemon.client.listTasks()).items.map(({ key }) => key)).toEqual(["api#1"]);
    expect(scene.repository.pulls()).toHaveLength(1);
  });

  test("that is changed again and again while it is worked on leads to one follow-up", async () => {
    await using place = await openScene(({ gate }) => [
      { when: "ALSO:", steps: mendSteps },
      { when: "TASK:", steps: [{ calls: [{ kind: "run", command: gate.command }] }, ...mendSteps] },
    ]);
    const { scene, gate } = place;
    const daemon = await scene.home.start();
    await scene.register(daemon);
    scene.hook(daemon);
    const issue = scene.repository.openIssue(sumIssue);
    await daemon.until((event) => event.type === "run.tool_called");
    scene.repository.edit(issue, { body: `${sumIssue.body} Soon.` });
    scene.repository.comment(issue, "Is anybody there?");
    scene.repository.edit(issue, { title: "Sum subtracts, still" });
    scene.repository.edit(issue, { body: `${sumIssue.body}\n\nALSO: say so in a comment.` });
    await scene.github.delivered();
    await gate.open();

    const [first, second] = [await daemon.settledTask("api#1"), await daemon.settledTask("api#2")];
    await scene.poll(daemon);
    expect((await daemon.client.listTasks()).items.map(({ key, source }) => [key, source.key])).toEqual([
      ["api#2", `issue:${issue}#1`],
      ["api#1", `issue:${issue}`],
    ]);
    expect([first.title, first.body, first.status]).toEqual([sumIssue.title, sumIssue.body, "succeeded"]);
    expect([second.title, second.body, second.status]).toEqual([
      "Sum subtracts, still",
      expect.stringMatching(/ALSO: say so[^]*Is anybody there\?/),
      "succeeded",
    ]);
  });

  test("that is closed ends its agent, and what that did can be had back", async () => {
    await using place = await openScene(({ gate }) => [
      { when: "TASK:", steps: [lookStep, { calls: [writeSum("a * 1 + b")] }, { calls: [{ kind: "run", command: gate.command }] }] },
    ]);
    const { scene } = place;
    const daemon = await scene.home.start();
    await scene.register(daemon);
    scene.hook(daemon);
    const issue = scene.repository.openIssue(sumIssue);
    await daemon.until((event) => event.type === "run.tool_called" && event.data.tool === "Bash");
    scene.repository.close(issue);

    const task = await daemon.settledTask("api#1");
    expect([task.status, task.reason]).toEqual(["cancelled", "source"]);
    expect(processesNaming(`DROVER_RUN=${task.runs[0]?.id}`)).toEqual([]);
    expect(scene.repository.issue(issue).comments.map(({ body }) => body)).toEqual([
      expect.stringMatching(/\*\*Cancelled\*\*[^]*The issue was closed\.[^]*saved/),
    ]);
    expect(refsOf(scene.repository.path)).toEqual(["refs/heads/main"]);
    using place2 = temporaryFolder();
    const to = join(place2.path, "restored");
    expect(runCli(scene, "task", "restore", "api#1", to)).toContain(to);
    expect(readFileSync(join(to, "sum.js"), "utf8")).toContain("a * 1 + b");
  });

  test("for which the agent changes nothing gets an answer and no pull request", async () => {
    await using place = await openScene(() => [{ when: "TASK:", steps: [{ text: "It is meant to subtract: see README." }] }]);
    const { scene } = place;
    scene.repository.openIssue(sumIssue);
    const daemon = await scene.home.start();
    await scene.register(daemon);
    const task = await daemon.settledTask("api#1");
    expect([task.status, task.reason, task.runs.length]).toEqual(["failed", "no_change", 1]);
    expect(scene.repository.pulls()).toEqual([]);
    expect(refsOf(scene.repository.path)).toEqual(["refs/heads/main"]);
    expect(scene.repository.issue(1).comments.map(({ body }) => body)).toEqual([
      expect.stringMatching(/\*\*Nothing was changed\*\*[^]*no pull request[^]*It is meant to subtract/),
    ]);
  });

  test("whose first attempt breaks a test is gone on with in the same session, which is told what failed", async () => {
    await using place = await openScene(
      ({ folder }) => [
        {
          when: "The task is not done yet",
          steps: [
            { calls: [{ kind: "run", command: leaveArguments(folder) }] },
            { calls: [writeSum("a + b")] },
            { text: "Now all of it works." },
          ],
        },
        { when: "TASK:", steps: [lookStep, { calls: [writeSum("5")] }, { text: "It is five." }] },
      ],
      { config: { defaults: { retryDelayMs: 0 } } },
    );
    const { scene, model, folder } = place;
    scene.repository.openIssue(sumIssue);
    const daemon = await scene.home.start();
    await scene.register(daemon);
    const task = await daemon.settledTask("api#1");

    expectPullRequest(scene, task);
    const [second, first] = task.runs;
    expect(first?.outcome).toMatchObject({
      status: "failed",
      reason: "check_failed",
      proof: { checks: [{ newFailures: ["sum.test.js > keeps zero"] }] },
    });
    expect([second?.attempt, second?.resumesSessionId]).toEqual([2, first?.sessionId]);
    expect(readFileSync(join(folder, "arguments"), "utf8")).toContain(`--resume=${first?.sessionId}`);
    const asked = model.journal.find(({ scenario }) => scenario.startsWith("The task is not done"))?.body ?? "";
    expect(["TASK: sum(2, 3)", "It is five.", "new failure: sum.test.js > keeps zero"].filter((text) => !asked.includes(text))).toEqual([]);
    expect([first, second].map((run) => run?.usage)).toEqual([usageOf(3), usageOf(3)]);
    expect(task.usage).toEqual(usageOf(6));
    expectOneComment(scene);
  });

  test("with the label for plans gets its plan as a comment, and nothing is changed", async () => {
    await using place = await openScene(() => [{ when: "TASK:", steps: [lookStep, { text: "1. Change the sign.\n2. Run the tests." }] }]);
    const { scene } = place;
    scene.repository.openIssue({ ...sumIssue, labels: ["plan", "Claude"] });
    const daemon = await scene.home.start();
    await scene.register(daemon);
    const task = await daemon.settledTask("api#1");
    expect([task.status, task.workflow, task.delivery]).toEqual(["succeeded", "issue-plan", "comment"]);
    expect(scene.repository.issue(1).comments.map(({ body }) => body)).toEqual([
      expect.stringMatching(/\*\*Answered\*\*[^]*1\. Change the sign\.\n2\. Run the tests\./),
    ]);
    expect([scene.repository.pulls(), refsOf(scene.repository.path)]).toEqual([[], ["refs/heads/main"]]);
  });

  test("whose agent asks keeps its question through a kill -9 of the daemon, and goes on with the answer", async () => {
    await using place = await openScene(
      () => [{ when: "TASK:", steps: [lookStep, { calls: [writeSum("a + b")] }, { text: "It adds." }] }],
      {
        permissions: "ask",
      },
    );
    const { scene } = place;
    scene.repository.openIssue(sumIssue);
    const killed = await scene.home.start();
    await scene.register(killed);
    await killed.until((event) => event.type === "run.question_asked");
    const { agentOf: pid } = await workingOn(killed);
    await killed.kill();

    const daemon = await scene.home.start();
    const { task, run, agentOf } = await workingOn(daemon);
    const [question] = run.questions;
    expect([task.reason, question?.tool, agentOf]).toEqual(["question", "Write", pid]);
    await daemon.client.answerRun({ params: { run: run.id }, body: { question: question?.id ?? "", allow: true } });
    const done = await daemon.settledTask("api#1");
    expectPullRequest(scene, done);
    expect(done.runs).toHaveLength(1);
  });
});

function openScene(script: ClaudeSceneOptions["script"], more: Partial<ClaudeSceneOptions> = {}): Promise<ClaudeScene> {
  return openClaudeScene({ files: sumProject, script, ...more, config: { checks: [sumCheck], ...more.config } });
}

/** Of so many requests to the scripted model, at the prices of Claude Sonnet 4.5: $3 and $15 a million tokens. */
function usageOf(requests: number) {
  return { inputTokens: 1000 * requests, outputTokens: 50 * requests, cacheReadTokens: 0, costUsdMicros: 3750 * requests };
}

function expectPullRequest({ repository }: GithubScene, task: TaskDetail): void {
  const branch = `drover/${task.number}-sum-subtracts`;
  const head = git(repository.path, "rev-parse", branch);
  const base = git(repository.path, "rev-parse", "main");
  expect([task.status, task.branch]).toEqual(["succeeded", branch]);
  expect(repository.pulls().map(({ title, author, pull }) => ({ title, author, pull }))).toEqual([
    { title: sumIssue.title, author: "drover-bot", pull: { head: branch, base: "main", merged: false } },
  ]);
  const body = repository.pulls()[0]?.body ?? "";
  expect(body).toContain("Closes #1.");
  expect(body).toContain(`| check | command | base \`${base.slice(0, 12)}\` | result \`${head.slice(0, 12)}\` | verdict |`);
  expect(body).toMatch(/\| `test` \| `node --test` \| exit 1, \d+ s \| exit 0, \d+ s \| fixed: failed before \|/);
  expect(body).toContain(head);
}

/** What a person would do with the pull request. */
function expectCloneToPass({ repository }: GithubScene, branch: string): void {
  using folder = temporaryFolder();
  git(folder.path, "clone", "--quiet", "--branch", branch, repository.path, "clone");
  expect(
    execFileSync("node", ["--test"], { cwd: join(folder.path, "clone"), encoding: "utf8", env: { PATH: process.env["PATH"] } }),
  ).toContain("pass 2");
}

function expectOneComment({ repository, github }: GithubScene): void {
  expect(repository.issue(1).comments.map(({ author, body }) => [author, body])).toEqual([
    ["drover-bot", expect.stringMatching(/\*\*Done\*\*[^]*Pull request: http/)],
  ]);
  const writes = github.requests.filter(({ method, path }) => path.includes("/comments") && method !== "GET");
  expect(writes.map(({ method }) => method)).toEqual(["POST", ...writes.slice(1).map(() => "PATCH")]);
  expect(writes.length).toBeGreaterThan(1);
}

function leaveEnvironment(folder: string): string {
  return `cat /proc/self/environ /proc/$PPID/environ >'${folder}/environment'`;
}

function leaveArguments(folder: string): string {
  return `tr '\\0' ' ' </proc/$PPID/cmdline >'${folder}/arguments'`;
}

function expectNoSecretsIn(environment: string, { home }: GithubScene): void {
  const { token } = JSON.parse(readFileSync(join(home.home, "auth.json"), "utf8")) as { token: string };
  expect([GITHUB_TOKEN, HOOK_SECRET, token].filter((secret) => environment.includes(secret))).toEqual([]);
  const names = new Set(environment.split("\0").map((line) => line.split("=")[0]));
  expect(["ANTHROPIC_API_KEY", "DROVER_RUN"].filter((name) => !names.has(name))).toEqual([]);
  expect([...names].filter((name) => /^(GITHUB|GH_|HOOK|DROVER_HOME|SSH_)/.test(name ?? ""))).toEqual([]);
}

/** The one task that is worked on. */
async function workingOn({ client }: TestDaemon) {
  const [listed] = (await client.listTasks({ query: { status: "running" } })).items;
  const task = await client.getTask({ params: { task: listed?.id ?? "" } });
  const [run] = task.runs;
  if (!run) throw new Error("Nothing runs.");
  return { task, run, agentOf: run.process?.pid };
}

function runCli({ home }: GithubScene, ...args: string[]): string {
  const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
  return execFileSync(process.execPath, [main, ...args], { encoding: "utf8", env: { ...process.env, DROVER_HOME: home.home } });
}
