import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { EffectPayload } from "../../src/contract/effect.ts";
import { markerOf } from "../../src/forge/marker.ts";
import { listAlerts } from "../../src/store/alerts.ts";
import type { Database } from "../../src/store/database.ts";
import { enqueueEffect, listEffects } from "../../src/store/effects.ts";
import { eventsAfter } from "../../src/store/events.ts";
import { getTask } from "../../src/store/tasks.ts";
import { finishRun, retryTask } from "../../src/store/transitions.ts";
import { git } from "../support/git-http.ts";
import type { GithubDouble } from "../support/github-double.ts";
import type { DoubleRepository } from "../support/github-repository.ts";
import { PublishWorld } from "../support/publish-world.ts";
import { makeRepository, temporaryFolder } from "../support/repository.ts";
import { sampleConfig } from "../support/samples.ts";
import { addProject, addTask, content, startTask, step, type ScratchDatabase } from "../support/scratch-database.ts";

let world: PublishWorld;
let github: GithubDouble;
let api: DoubleRepository;
let scratch: ScratchDatabase;

beforeEach(async () => {
  world = await PublishWorld.open();
  ({ github, api, scratch } = world);
});
afterEach(() => world[Symbol.asyncDispose]());

const publish = () => world.publisher.runOnce();
const alerts = (open = true) => listAlerts(scratch.database.reader, { open, limit: 100 }).map(({ kind, subject }) => [kind, subject]);
const comment = (issue: number, body: string): EffectPayload => ({ kind: "comment", issue, body, linksPullRequest: false });
const openIssue = () => api.openIssue({ title: "One", labels: ["Claude"] });

/** A task whose only effect is a comment at a new issue. */
function commentingTask(project = world.project): { issue: number; taskId: `task_${string}` } {
  const issue = openIssue();
  const { id } = addTask(scratch.database, project.id);
  world.finishWith(id, [comment(issue, "Done")]);
  return { issue, taskId: id };
}

describe("the result of a task", () => {
  test("is pushed, becomes a pull request, and is told at the issue with its address", async () => {
    const issue = openIssue();
    const task = await world.finishTask({ issue });
    await publish();
    const [pull] = api.pulls();
    const url = `${github.url}/acme/api/pull/2`;
    expect(pull).toMatchObject({
      number: 2,
      title: "Issue 1",
      body: `${markerOf(task.id, "pull_request")}\nProof.`,
      pull: { head: "drover/1-done", base: "main" },
    });
    expect(await git(api.path, ["show", "drover/1-done:done.txt"])).toBe("api#1\n");
    expect(world.comments(issue)).toEqual([`${markerOf(task.id, "comment")}\n**Done** · task\n\nPull request: ${url}\n\nBranch.`]);
    expect(getTask(scratch.database.reader, task.id).pullRequest).toEqual({ number: 2, url });
    expect(world.effects(task.id)).toEqual([
      ["push", "done", 1],
      ["pull_request", "done", 1],
      ["comment", "done", 1],
    ]);
    const done = eventsAfter(scratch.database.reader, 0, { taskId: task.id, limit: 100 }).filter((event) => event.type === "effect.done");
    expect(done.map((event) => event.data)).toEqual([
      { kind: "push", url: null },
      { kind: "pull_request", url },
      { kind: "comment", url: `${github.url}/acme/api/issues/1#issuecomment-1` },
    ]);
  });

  test("goes out as soon as it is stored", async () => {
    world.publisher.start();
    const issue = openIssue();
    const task = await world.finishTask({ issue });
    while (world.effects(task.id).some(([, status]) => status === "pending")) await new Promise((resolve) => setImmediate(resolve));
    expect(world.comments(issue)).toHaveLength(1);
  });

  test("without a service goes to the person's own repository", async () => {
    using folder = temporaryFolder();
    const repository = makeRepository(`${folder.path}/local`);
    world.configs.set("local", sampleConfig());
    const local = addProject(scratch.database, { name: "local", path: repository.path, forge: "local", remote: repository.path });
    const task = await world.finishTask({ project: local, issue: 3 });
    await publish();
    expect(world.effects(task.id).map(([, status]) => status)).toEqual(["done", "done", "done"]);
    expect(repository.git("show", "drover/3-done:done.txt")).toBe("local#1");
    expect(repository.git("show", "refs/drover/pulls/1:pull.md")).toContain('branch: "drover/3-done"');
    expect(repository.git("show", "refs/drover/issues/3:status.md")).toContain(
      "Pull request: drover:pulls/1 (`git show refs/drover/pulls/1:pull.md`)",
    );
    expect(repository.git("status", "--porcelain")).toBe("");
  });

  test("of each project goes out with its own token only", async () => {
    const web = await github.createRepository("acme/web", { tokens: { ghp_two: "owner" } });
    const other = world.addGithubProject("web", "acme/web", { tokenVariable: "OTHER_TOKEN" });
    const issue = web.openIssue({ title: "Web" });
    await Promise.all([world.finishTask({ issue: openIssue() }), world.finishTask({ project: other, issue })]);
    await publish();
    const used = github.requests.map(({ path, token }) => `${/acme\/\w+/.exec(path)?.[0]} ${token}`);
    // git asks without a token first only where it was not given one.
    expect(new Set(used)).toEqual(new Set(["acme/api ghp_one", "acme/web ghp_two"]));
    expect([api.pulls().length, web.pulls().length]).toEqual([1, 1]);
  });

  test("has its secrets taken out", async () => {
    const issue = openIssue();
    const { id } = addTask(scratch.database, world.project.id);
    world.finishWith(id, [comment(issue, "The password is hunter2")]);
    await publish();
    expect(world.comments(issue)).toEqual([`${markerOf(id, "comment")}\nThe password is [redacted]`]);
  });
});

describe("nothing is done twice", () => {
  test.each([
    ["pull request", /^POST .*pulls$/],
    ["comment", /^POST .*comments$/],
  ])("when the answer to the %s is lost", async (_, match) => {
    const issue = openIssue();
    const task = await world.finishTask({ issue });
    github.fault({ match, kind: "lost_reply" });
    await publish();
    scratch.clock.advance(60_000);
    await publish();
    expect({ pulls: api.pulls().length, comments: world.comments(issue).length }).toEqual({ pulls: 1, comments: 1 });
    expect(world.effects(task.id).map(([, status]) => status)).toEqual(["done", "done", "done"]);
  });

  test("when the daemon dies after each of the outside calls, before it can note it", async () => {
    const issue = openIssue();
    const task = await world.finishTask({ issue });
    for (const noted of [0, 1, 1]) {
      const { database, dead } = dyingAfter(noted);
      void world.newPublisher(database).runOnce();
      await dead;
    }
    expect(world.effects(task.id).map(([, status]) => status)).toEqual(["done", "done", "pending"]);
    await publish();
    expect({ pulls: api.pulls().length, comments: world.comments(issue).length }).toEqual({ pulls: 1, comments: 1 });
    expect(world.effects(task.id).map(([, status]) => status)).toEqual(["done", "done", "done"]);
  });

  test("when an edited status follows", async () => {
    const { issue, taskId } = commentingTask();
    await publish();
    scratch.database.writeNow((tx) =>
      enqueueEffect(tx, { projectId: world.project.id, taskId, epoch: 1, payload: comment(issue, "Better") }),
    );
    await publish();
    expect(world.comments(issue)).toEqual([`${markerOf(taskId, "comment")}\nBetter`]);
  });
});

describe("what fails", () => {
  test("by an outage is tried again, later each time, in order, and holds up no other task", async () => {
    const issue = openIssue();
    const task = await world.finishTask({ issue });
    github.fault({ match: /pulls/, kind: "status", status: 502, times: 3 });
    const other = commentingTask();
    await publish();
    expect(world.effects(other.taskId)).toEqual([["comment", "done", 1]]);
    const waits: number[] = [];
    while (world.effects(task.id).some(([, status]) => status === "pending")) {
      const [, pull] = listEffects(scratch.database.reader, task.id);
      waits.push((pull?.nextAt ?? 0) - scratch.clock.now());
      expect(world.comments(issue)).toEqual([]);
      scratch.clock.advance(waits.at(-1) ?? 0);
      await publish();
    }
    expect(waits).toEqual([2500, 5000, 10_000]);
    expect(world.comments(issue)).toHaveLength(1);
    expect(alerts(false)).toEqual([]);
  });

  test("waits for as long as GitHub asks", async () => {
    const { taskId } = commentingTask();
    github.fault({ kind: "status", status: 403, message: "You have exceeded a secondary rate limit", headers: { "retry-after": "120" } });
    await publish();
    const [effect] = listEffects(scratch.database.reader, taskId);
    expect((effect?.nextAt ?? 0) - scratch.clock.now()).toBe(120_000);
  });

  test("for long calls a person, until it works again", async () => {
    commentingTask();
    github.fault({ kind: "reset", times: 5 });
    for (let count = 0; count < 5; count++) {
      expect(alerts()).toEqual([]);
      await publish();
      scratch.clock.advance(900_000);
    }
    expect(alerts()).toEqual([["publish_failed", "api#1 comment"]]);
    await publish();
    expect(alerts()).toEqual([]);
  });

  test("for want of a token calls a person at once, and goes on when there is one", async () => {
    const { issue } = commentingTask();
    delete world.tokens["GITHUB_TOKEN"];
    await publish();
    expect(listAlerts(scratch.database.reader, { open: true, limit: 1 })).toMatchObject([
      {
        kind: "publish_failed",
        message: expect.stringMatching(/^The comment of api#1 could not be published\. It is tried again\. .*set GITHUB_TOKEN/),
      },
    ]);
    world.tokens["GITHUB_TOKEN"] = "ghp_one";
    scratch.clock.advance(900_000);
    await publish();
    expect({ comments: world.comments(issue).length, alerts: alerts() }).toEqual({ comments: 1, alerts: [] });
  });

  test("for want of the project's settings waits for them, and asks nobody", async () => {
    const { issue } = commentingTask();
    const config = world.configs.get("api");
    world.configs.delete("api");
    await publish();
    expect({ asked: github.requests.length, alerts: alerts() }).toEqual({ asked: 0, alerts: [["publish_failed", "api#1 comment"]] });
    if (config) world.configs.set("api", config);
    scratch.clock.advance(900_000);
    await publish();
    expect(world.comments(issue)).toHaveLength(1);
  });

  test("for a repository that is hidden now is not given up", async () => {
    const { issue, taskId } = commentingTask();
    github.fault({ kind: "status", status: 404, times: 2 });
    await publish();
    expect(world.effects(taskId)).toEqual([["comment", "pending", 1]]);
    scratch.clock.advance(900_000);
    await publish();
    expect(world.comments(issue)).toHaveLength(1);
  });

  test("for an issue that is gone is given up", async () => {
    const { issue, taskId } = commentingTask();
    api.delete(issue);
    await publish();
    expect(world.effects(taskId)).toEqual([["comment", "failed", 1]]);
    expect(alerts()).toEqual([["publish_failed", "api#1 comment"]]);
  });

  test("because there is nothing to merge is given up, and the issue is told", async () => {
    const issue = openIssue();
    const { id } = addTask(scratch.database, world.project.id);
    await git(api.path, ["update-ref", "refs/heads/drover/1-same", "refs/heads/main"]);
    const pull = { kind: "pull_request", branch: "drover/1-same", base: "main", title: "One", body: "" } as const;
    world.finishWith(id, [pull, { kind: "comment", issue, body: "**Done**\n\nBranch.", linksPullRequest: true }]);
    await publish();
    expect(world.effects(id)).toEqual([
      ["pull_request", "failed", 1],
      ["comment", "done", 1],
    ]);
    expect(world.comments(issue)[0]).toContain("**The pull request could not be opened.**");
  });

  test("because somebody moved the branch is given up, with the pull request, and the issue is told", async () => {
    const issue = openIssue();
    const task = await world.finishTask({ issue });
    await api.commit({ branch: "drover/1-done", files: { "theirs.txt": "theirs" } });
    await publish();
    expect(world.effects(task.id)).toEqual([
      ["push", "failed", 1],
      ["pull_request", "failed", 1],
      ["comment", "done", 1],
    ]);
    expect(await git(api.path, ["ls-tree", "--name-only", "drover/1-done"])).toBe("README.md\ntheirs.txt\n");
    expect(world.comments(issue)[0]).toContain("**The pull request could not be opened.**");
    expect(alerts()).toEqual([["publish_failed", "api#1 push"]]);
  });

  test("because a person closed the pull request calls them", async () => {
    const issue = openIssue();
    const task = await world.finishTask({ issue });
    await publish();
    api.close(2);
    const payload = { kind: "pull_request", branch: "drover/1-done", base: "main", title: "Again", body: "" } as const;
    scratch.database.writeNow((tx) => enqueueEffect(tx, { projectId: world.project.id, taskId: task.id, epoch: 1, payload }));
    await publish();
    expect(api.issue(2)).toMatchObject({ state: "closed", title: "Issue 1" });
    expect(alerts()).toEqual([["pull_request_closed", "api#1"]]);
  });
});

describe("what is no longer wanted", () => {
  test("because a newer status took its place is never told", async () => {
    const issue = openIssue();
    const { id } = addTask(scratch.database, world.project.id);
    world.finishWith(id, [comment(issue, "Started"), comment(issue, "Done")]);
    await publish();
    expect(github.requests.filter((request) => request.method !== "GET").map((request) => request.method)).toEqual(["POST"]);
    expect(world.comments(issue)).toEqual([`${markerOf(id, "comment")}\nDone`]);
  });

  test("because the task was taken up again is not pushed", async () => {
    const issue = openIssue();
    const { id } = addTask(scratch.database, world.project.id);
    const first = startTask(scratch.database, id);
    const push = { kind: "push", branch: "drover/1-old", commit: "0".repeat(40) } as const;
    scratch.database.writeNow((tx) =>
      finishRun(tx, first, { outcome: content, next: step("failed", { effects: [push, comment(issue, "Failed")] }) }),
    );
    scratch.database.writeNow((tx) => retryTask(tx, id));
    startTask(scratch.database, id);
    await publish();
    expect(world.effects(id)).toEqual([
      ["push", "dropped", 0],
      ["comment", "done", 1],
    ]);
  });
});

describe("GitHub is written to", () => {
  const written = () => github.requests.filter((request) => request.method === "POST").length;

  test("at most 80 times a minute, for all projects together", async () => {
    for (let count = 0; count < 100; count++) commentingTask();
    const publishing = publish();
    while (written() < 80 || (await stillAsking(github))) await new Promise((resolve) => setImmediate(resolve));
    expect(written()).toBe(80);
    scratch.clock.advance(60_000);
    await publishing;
    expect(written()).toBe(100);
  });

  test("with the newest status only, when a newer one comes while it waits", async () => {
    const waiting = Array.from({ length: 90 }, () => commentingTask());
    const publishing = publish();
    while (written() < 80) await new Promise((resolve) => setImmediate(resolve));
    const untold = waiting.filter(({ issue }) => world.comments(issue).length === 0);
    scratch.database.writeNow((tx) => {
      for (const { issue, taskId } of untold) {
        enqueueEffect(tx, { projectId: world.project.id, taskId, epoch: 1, payload: comment(issue, "Newer") });
      }
    });
    scratch.clock.advance(60_000);
    await publishing;
    await publish();
    expect(untold).toHaveLength(10);
    expect(untold.flatMap(({ issue }) => world.comments(issue))).toEqual(
      untold.map(({ taskId }) => `${markerOf(taskId, "comment")}\nNewer`),
    );
    expect(github.requests.filter((request) => request.method === "PATCH")).toEqual([]);
  });

  test("no more after a stop, and what waited is told by the next daemon", async () => {
    for (let count = 0; count < 100; count++) commentingTask();
    const publishing = publish();
    while (github.requests.filter((request) => request.method === "POST").length < 80)
      await new Promise((resolve) => setImmediate(resolve));
    await world.publisher.stop();
    await publishing;
    world.publisher = world.newPublisher();
    scratch.clock.advance(60_000);
    const rest = world.publisher.runOnce();
    await rest;
    const told = [...api.issues.values()].filter((issue) => issue.comments.length === 1).length;
    expect(told).toBe(100);
  });
});

/** The database as a process has it that dies when it has written so many times and is about to write again. */
function dyingAfter(writes: number): { database: Database; dead: Promise<void> } {
  const { promise: dead, resolve: die } = Promise.withResolvers<void>();
  let left = writes;
  const write: Database["write"] = (work) => {
    if (left-- > 0) return scratch.database.write(work);
    die();
    return new Promise(() => {});
  };
  return { database: Object.assign(Object.create(scratch.database) as Database, { write }), dead };
}

/** Whether another request comes within a while. */
async function stillAsking(double: GithubDouble): Promise<boolean> {
  const before = double.requests.length;
  await new Promise((resolve) => setTimeout(resolve, 250));
  return double.requests.length > before;
}
