import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import type { TaskDetail } from "../../src/contract/routes.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { COMPLETE, openObeyingScene, type ObeyingScene } from "../support/obeying-scene.ts";
import { git } from "../support/repository.ts";

const LOOP = (
  iterations: number,
  prompt = "Iteration {{iteration}} of {{iterations}}.\\n{{> request}}{{#each notes}}\\n{{this}}{{/each}}",
) => `
name: until-green
stages:
  - name: work
    prompt: "${prompt}"
    yields: commit
    checks: [{ name: done, command: "test -f done.txt" }]
    loop: { iterations: ${iterations}, unchanged: 2 }
`;

function write(scene: ObeyingScene, name: string, text: string): void {
  const file = join(scene.home.home, "workflows", name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

async function begin(scene: ObeyingScene): Promise<TestDaemon> {
  const daemon = await scene.home.start();
  await daemon.client.registerProject({ body: { path: scene.path, name: "api" } });
  return daemon;
}

/** The prompts of a task's runs, the first one first. */
function prompts(scene: ObeyingScene, task: TaskDetail): string[] {
  return task.runs.toReversed().map(({ id }) => readFileSync(join(scene.home.home, "runs", task.id, id, "prompt.md"), "utf8"));
}

const iterations = (task: TaskDetail) =>
  task.runs.toReversed().map(({ iteration, attempt, outcome }) => [iteration, attempt, outcome?.status]);

test("a loop goes on with a fresh context until its check passes, whatever its agent says, and hands its notes on", async () => {
  await using scene = await openObeyingScene();
  write(scene, "until-green.yaml", LOOP(5));
  const daemon = await begin(scene);
  await daemon.client.createTask({ body: { project: "api", title: "Make it done", workflow: "until-green" } });
  for (const order of ["echo 1 >one.txt", COMPLETE, "echo 2 >two.txt", COMPLETE, "echo 3 >done.txt", COMPLETE]) await scene.order(order);
  const task = await daemon.settledTask("api#1");
  expect([task.status, iterations(task)]).toEqual([
    "succeeded",
    [
      [1, 1, "failed"],
      [2, 1, "failed"],
      [3, 1, "succeeded"],
    ],
  ]);
  expect(task.runs.map(({ resumesSessionId }) => resumesSessionId)).toEqual([null, null, null]);
  const [first = "", second = "", third = ""] = prompts(scene, task);
  expect(first).toContain("Iteration 1 of 5.");
  expect(first).not.toContain("--- note");
  expect(second).toContain("Iteration 2 of 5.");
  expect(second).toMatch(
    /--- note \w+ ---\nIteration 1, what the checks said:\ndone \(test -f done\.txt\) fails where the base does not\n--- end of note/,
  );
  // The agent said the same each time: the note of it is there once.
  expect(third.split("its last words:\nDone.")).toHaveLength(2);
  const { items } = await daemon.client.listTaskNotes({ params: { task: task.id } });
  expect(items.map(({ iteration, kind }) => `${iteration} ${kind}`)).toEqual([
    "1 change",
    "1 check",
    "1 report",
    "2 change",
    "2 check",
    "3 change",
    "3 check",
  ]);
  expect(git(scene.path, "show", `${task.branch}:done.txt`)).toBe("3");
});

test("a loop ends at its ceiling, and where it gets nowhere, with its work kept", async () => {
  await using scene = await openObeyingScene();
  write(scene, "until-green.yaml", LOOP(3));
  const daemon = await begin(scene);
  const file = (title: string) => daemon.client.createTask({ body: { project: "api", title, workflow: "until-green" } });
  await file("Never done");
  for (const name of ["a", "b", "c"]) await scene.order(`echo ${name} >${name}.txt; ${COMPLETE}`);
  const never = await daemon.settledTask("api#1");
  expect([never.status, never.reason, never.message, iterations(never).length]).toEqual([
    "failed",
    "iterations",
    "It had its 3 iterations. After the last: done (test -f done.txt) fails where the base does not",
    3,
  ]);
  expect(await daemon.client.getTaskDiff({ params: { task: "api#1" } })).toContain("+c");

  write(scene, "until-green.yaml", LOOP(9));
  await daemon.until(({ type, data }) => type === "workflow.accepted" && "version" in data && data.version === 2);
  await file("Round and round");
  for (const text of ["a", "b", "a", "b"]) await scene.order(`echo ${text} >same.txt; ${COMPLETE}`);
  const round = await daemon.settledTask("api#2");
  expect([round.status, round.reason, iterations(round).length]).toEqual(["failed", "no_progress", 4]);
});

test("a task ends on the version that it began with; a bad edit changes nothing, and a person can go back", async () => {
  await using scene = await openObeyingScene();
  write(scene, "until-green.yaml", LOOP(5, "First words. {{> request}}"));
  const daemon = await begin(scene);
  const { client } = daemon;
  const file = (title: string) => client.createTask({ body: { project: "api", title, workflow: "until-green" } });
  await file("One");
  await scene.order(`echo 1 >one.txt; ${COMPLETE}`);
  await daemon.until(({ type, data }) => type === "run.started" && "iteration" in data && data.iteration === 2);
  write(scene, "until-green.yaml", LOOP(5, "Second words. {{> request}}"));
  await daemon.until(({ type, data }) => type === "workflow.accepted" && "version" in data && data.version === 2);
  write(scene, "until-green.yaml", LOOP(5, "{{nothing}}"));
  await daemon.until(({ type }) => type === "workflow.rejected");
  const { items } = await client.listAlerts({ query: { open: true } });
  expect(items.map(({ kind, message }) => [kind, message])).toEqual([
    ["workflow_rejected", expect.stringContaining('"nothing" not defined')],
  ]);
  await scene.order(`echo 2 >two.txt; ${COMPLETE}`);
  await scene.order(`echo 3 >done.txt; ${COMPLETE}`);
  const one = await daemon.settledTask("api#1");
  expect([one.workflowVersion, prompts(scene, one).map((text) => text.slice(0, 12))]).toEqual([
    1,
    ["First words.", "First words.", "First words."],
  ]);

  await file("Two");
  await scene.order(`echo >done.txt; ${COMPLETE}`);
  const two = await daemon.settledTask("api#2");
  expect([two.workflowVersion, prompts(scene, two)[0]?.slice(0, 13)]).toEqual([2, "Second words."]);

  expect(await client.rollBackWorkflow({ params: { workflow: "until-green" }, body: {} })).toMatchObject({ version: 1, inForce: true });
  await daemon.stop();
  const again = await scene.home.start();
  await again.client.createTask({ body: { project: "api", title: "Three", workflow: "until-green" } });
  await scene.order(`echo >done.txt; ${COMPLETE}`);
  expect((await again.settledTask("api#3")).workflowVersion).toBe(1);
  const { versions } = await again.client.getWorkflow({ params: { workflow: "until-green" } });
  expect(versions.map(({ version, inForce }) => [version, inForce])).toEqual([
    [2, false],
    [1, true],
  ]);
});

test("after kill -9 in the third iteration it goes on there; a rollback sets files and notes back", async () => {
  await using scene = await openObeyingScene({ defaults: { retryAttempts: 3, retryDelayMs: 1 } });
  write(scene, "until-green.yaml", LOOP(5));
  const daemon = await begin(scene);
  await daemon.client.createTask({ body: { project: "api", title: "Make it done", workflow: "until-green" } });
  for (const name of ["one", "two"]) await scene.order(`echo ${name} >${name}.txt; ${COMPLETE}`);
  await scene.order("echo three >three.txt");
  await daemon.until(({ type, data }) => type === "run.agent_started" && "pid" in data);
  await daemon.until(({ type, data }) => type === "run.started" && "iteration" in data && data.iteration === 3);
  await daemon.kill();
  const again = await scene.home.start();
  await scene.order(`echo wrong >wrong.txt; ${COMPLETE}`);
  await again.until(({ type, data }) => type === "run.started" && "iteration" in data && data.iteration === 4);
  await again.client.cancelTask({ params: { task: "api#1" } });
  const task = await again.settledTask("api#1");
  // A run that the crash cut short before its agent began is there twice.
  expect([...new Set(iterations(task).map(([iteration]) => iteration))]).toEqual([1, 2, 3, 4]);

  const back = await again.client.rollBackTask({ params: { task: "api#1" }, body: { iteration: 2 } });
  expect([back.iteration, back.reason]).toEqual([3, "rolled_back"]);
  const { items } = await again.client.listTaskNotes({ params: { task: "api#1" } });
  expect(new Set(items.map(({ iteration }) => iteration))).toEqual(new Set([1, 2]));
  await again.client.retryTask({ params: { task: "api#1" } });
  await scene.order(`ls >done.txt; ${COMPLETE}`);
  const done = await again.settledTask("api#1");
  expect([done.status, done.runs[0]?.iteration]).toEqual(["succeeded", 3]);
  expect(
    git(scene.path, "show", `${done.branch}:done.txt`)
      .split("\n")
      .filter((name) => name.endsWith(".txt")),
  ).toEqual(["done.txt", "one.txt", "two.txt"]);
});

test("three stages of one's own: a report that a person approves, a change, and a last word; all with one proof", async () => {
  await using scene = await openObeyingScene();
  write(
    scene,
    "careful.yaml",
    `
name: careful
parameters:
  tone: { default: kind, allowed: [kind, strict] }
stages:
  - { name: plan, prompt: plan.md, yields: report, approval: true }
  - { name: work, prompt: "Do it as planned: {{outputs.plan}}", yields: commit }
  - { name: look, prompt: look.md, yields: report }
`,
  );
  write(scene, "prompts/plan.md", "Plan it, be {{parameters.tone}}. {{> request}} {{> sign}}");
  write(scene, "prompts/look.md", "Look at it. {{#if (eq outputs.work '')}}nothing{{else}}{{outputs.work}}{{/if}} {{> sign}}");
  write(scene, "prompts/sign.md", "-- {{project}}");
  const daemon = await begin(scene);
  const { client } = daemon;
  await expect(
    client.createTask({ body: { project: "api", title: "x", workflow: "careful", parameters: { tone: "rude" } } }),
  ).rejects.toMatchObject({
    message: expect.stringContaining("allowed: kind, strict"),
  });
  const report = (text: string) => `echo '{"type":"turn_ended","verdict":{"ok":true},"report":"${text}"}'; exit 0`;
  await client.createTask({ body: { project: "api", title: "Be careful", workflow: "careful", parameters: { tone: "strict" } } });
  await scene.order(report("First this, then that."));
  const waiting = await daemon.taskWith("api#1", "blocked");
  expect([waiting.reason, waiting.stage]).toEqual(["approval", "plan"]);
  expect((await client.listAlerts({ query: { open: true } })).items.map(({ kind }) => kind)).toEqual(["approval_wanted"]);
  expect((await client.approveTask({ params: { task: "api#1" } })).stage).toBe("work");
  await expect(client.approveTask({ params: { task: "api#1" } })).rejects.toMatchObject({ code: "conflict" });
  await scene.order(`echo work >work.txt; ${report("Worked.")}`);
  await scene.order(report("It is good."));
  const task = await daemon.settledTask("api#1");
  expect([task.status, task.runs.toReversed().map(({ stage }) => stage), task.pullRequest === null]).toEqual([
    "succeeded",
    ["plan", "work", "look"],
    false,
  ]);
  const [plan = "", work = "", look = ""] = prompts(scene, task);
  expect(plan).toMatch(/^Plan it, be strict\. The request stands between the two lines/);
  expect(work).toMatch(/report of plan \w+ ---\nFirst this, then that\.\n--- end of report of plan/);
  expect(look).toContain("Worked.");
  expect(look.trim()).toMatch(/-- api$/);
  expect(git(scene.path, "show", `${task.branch}:work.txt`)).toBe("work");
  expect(git(scene.path, "show", "refs/drover/pulls/1:pull.md")).toContain("It is good.");

  await client.createTask({ body: { project: "api", title: "Denied", workflow: "careful" } });
  await scene.order(report("A bad plan."));
  await daemon.taskWith("api#2", "blocked");
  const denied = await client.denyTask({ params: { task: "api#2" }, body: { message: "Too dear." } });
  expect([denied.status, denied.message]).toEqual(["cancelled", "Denied by api: Too dear."]);
});
