import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TestHome } from "../support/daemon.ts";
import { COMPLETE, openObeyingScene } from "../support/obeying-scene.ts";
import { git, makeRepository } from "../support/repository.ts";

const FENCE = "```";

/** Has the agent end with a report that lists tasks; each is a title, and the numbers of those it comes after. */
function lists(...tasks: [title: string, after?: number[]][]): string {
  const list = tasks
    .map(([title, after = []]) => `  - title: ${title}\n    body: Do ${title}.\n    after: [${after.join(", ")}]`)
    .join("\n");
  const report = `Here they are.\n\n${FENCE}yaml\ntasks:\n${list}\n${FENCE}\n`;
  // Not echo, which makes new lines of what JSON escapes.
  return `printf '%s\\n' '${JSON.stringify({ type: "turn_ended", verdict: { ok: true }, report })}'; exit 0`;
}

test("a plan becomes a tree of specs and phases, and ends as one branch whose checks pass", async () => {
  await using scene = await openObeyingScene({
    daemon: { maxProcesses: 1 },
    defaults: { retryAttempts: 2, retryDelayMs: 1 },
    checks: [{ name: "whole", command: "if [ -f three.txt ]; then cat one.txt two.txt three.txt; fi" }],
  });
  const daemon = await scene.home.start();
  const { client } = daemon;
  await client.registerProject({ body: { path: scene.path, name: "api" } });
  await client.createTask({ body: { project: "api", title: "Three files", workflow: "plan" } });
  await scene.order(`echo '{"type":"turn_ended","verdict":{"ok":true},"report":"I list nothing."}'; exit 0`);
  await daemon.until((event) => event.type === "run.ended");
  // In the same session it is told what was wrong with its answer.
  await scene.order(lists(["First spec"], ["Second spec", [1]]));
  const waiting = await daemon.taskWith("api#1", "blocked");
  expect([waiting.reason, (await client.listTasks()).items.length]).toEqual(["approval", 1]);
  await client.approveTask({ params: { task: "api#1" } });
  for (const order of [
    lists(["Phase one"], ["Phase two", [1]]),
    `echo 1 >one.txt; ${COMPLETE}`,
    `cat one.txt >two.txt; ${COMPLETE}`,
    lists(["Phase three"]),
    `cat one.txt two.txt >three.txt; ${COMPLETE}`,
  ])
    await scene.order(order);
  const plan = await daemon.settledTask("api#1");
  expect([plan.status, plan.runs.toReversed().map(({ stage, outcome }) => [stage, outcome?.status])]).toEqual([
    "succeeded",
    [
      ["plan", "failed"],
      ["plan", "no_change"],
      ["integrate", "succeeded"],
    ],
  ]);
  const { items } = await client.getTaskTree({ params: { task: "api#1" } });
  expect(items.map(({ depth, task }) => [depth, task.workflow, task.title, task.status])).toEqual([
    [0, "plan", "Three files", "succeeded"],
    [1, "spec", "First spec", "succeeded"],
    [2, "phase", "Phase one", "succeeded"],
    [2, "phase", "Phase two", "succeeded"],
    [1, "spec", "Second spec", "succeeded"],
    [2, "phase", "Phase three", "succeeded"],
  ]);
  expect(git(scene.path, "show", `${plan.branch}:three.txt`)).toBe("1\n1");
  // Each phase is a commit of its own, and nothing but the plan's branch was published.
  expect(git(scene.path, "log", "--format=%s", `main..${plan.branch}`).trim().split("\n").toReversed()).toEqual([
    "Phase one",
    "Phase two",
    "Phase three",
  ]);
  expect(git(scene.path, "branch", "--list", "drover/*", "--format=%(refname:short)").trim()).toBe(plan.branch);
});

test("a child begins with what those before it came to; a failure goes up with its cause, and a retry lets all go on", async () => {
  await using scene = await openObeyingScene({
    daemon: { maxProcesses: 1 },
    defaults: { retryAttempts: 1, onConflict: "agent" },
    checks: [{ name: "good", command: "! test -f bad.txt" }],
  });
  const daemon = await scene.home.start();
  const { client } = daemon;
  await client.registerProject({ body: { path: scene.path, name: "api" } });
  const file = (title: string) => client.createTask({ body: { project: "api", title, workflow: "spec" } });
  await file("Side by side");
  // With one worker each begins with what the one before it came to.
  for (const order of [
    lists(["A"], ["B"], ["C"]),
    `echo a >same.txt; ${COMPLETE}`,
    `echo b >other.txt; ${COMPLETE}`,
    `echo c >>same.txt; ${COMPLETE}`,
  ])
    await scene.order(order);
  const spec = await daemon.settledTask("api#1");
  expect([spec.status, git(scene.path, "show", `${spec.branch}:same.txt`)]).toEqual(["succeeded", "a\nc"]);

  await file("Fails");
  await scene.order(lists(["Never good"]));
  await scene.order("exit 3");
  const blocked = await daemon.taskWith("api#5", "blocked");
  expect([blocked.reason, blocked.message]).toEqual([
    "dependency_failed",
    expect.stringMatching(/^api#6 failed: The agent's program ended with exit code 3/),
  ]);
  await client.retryTask({ params: { task: "api#6" } });
  await scene.order(`echo 1 >good.txt; ${COMPLETE}`);
  expect((await daemon.settledTask("api#5")).status).toBe("succeeded");
});

test("children at the same time are merged; one that conflicts goes on from the other's work, with both sides in its files", async () => {
  const program = join(import.meta.dirname, "../programs/writes-with-siblings.sh");
  await using home = await TestHome.make({
    daemon: { maxProcesses: 3 },
    agents: { siblings: { driver: "command", command: ["sh", program], env: ["TOGETHER"] } },
    defaults: { agent: "siblings", onConflict: "agent" },
    checks: [{ name: "no markers", command: "! grep -q '^<<<<<<<' *.txt" }],
  });
  home.env["TOGETHER"] = join(home.folder, "together");
  mkdirSync(home.env["TOGETHER"]);
  const { path } = makeRepository(join(home.folder, "api"));
  const daemon = await home.start();
  await daemon.client.registerProject({ body: { path, name: "api" } });
  await daemon.client.createTask({ body: { project: "api", title: "Side by side", workflow: "spec" } });
  const spec = await daemon.settledTask("api#1");
  expect([spec.status, git(path, "show", `${spec.branch}:same.txt`), git(path, "show", `${spec.branch}:other.txt`)]).toEqual([
    "succeeded",
    "a\nb",
    "c",
  ]);
  const { items } = await daemon.client.listRuns({ query: { limit: 50 } });
  const reasons = items.flatMap(({ outcome }) => (outcome?.status === "failed" ? [outcome.reason] : []));
  expect(reasons).toEqual(["siblings_conflict"]);
});

test("a stage whose children have no workflow fails and says so", async () => {
  await using scene = await openObeyingScene();
  mkdirSync(join(scene.home.home, "workflows"));
  const stages = "[{ name: split, prompt: Split it., yields: tasks, children: nowhere }, { name: end, prompt: End., yields: report }]";
  writeFileSync(join(scene.home.home, "workflows", "lost.yaml"), `name: lost\nstages: ${stages}\n`);
  const daemon = await scene.home.start();
  await daemon.client.registerProject({ body: { path: scene.path, name: "api" } });
  await daemon.client.createTask({ body: { project: "api", title: "Lost", workflow: "lost" } });
  await scene.order(lists(["One"]));
  const task = await daemon.settledTask("api#1");
  expect([task.status, task.message]).toEqual(["failed", expect.stringContaining('There is no workflow "nowhere"')]);
});
