import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Run } from "../../src/contract/run.ts";
import type { TaskDetail } from "../../src/contract/routes.ts";
import { TestHome, type TestDaemon } from "../support/daemon.ts";
import { expectNothingLeft } from "../support/leftovers.ts";
import { git, makeRepository } from "../support/repository.ts";
import { sumCheck, sumProject } from "../support/sum-project.ts";

async function openHome() {
  const home = await TestHome.make({
    agents: { me: { driver: "human" }, waits: { driver: "command", command: ["sh", join(import.meta.dirname, "../programs/waits.sh")] } },
    defaults: { agent: "me", runTimeoutMs: 1000, timeout: 1000, retryAttempts: 1 },
    checks: [sumCheck],
  });
  makeRepository(join(home.folder, "api"), { files: sumProject });
  makeRepository(join(home.folder, "slow"), { files: { ".drover/config.yaml": "version: 1\ndefaults: { agent: waits }\n" } });
  return home;
}

async function file(home: TestHome, { client }: TestDaemon, project: string, title: string): Promise<TaskDetail> {
  await client.registerProject({ body: { path: join(home.folder, project) } });
  const { id } = await client.createTask({ body: { project, title, body: "It subtracts." } });
  return client.getTask({ params: { task: id } });
}

/** The run of a task with the question that it asks the person, once it does. */
async function askedRun(daemon: TestDaemon, task: TaskDetail): Promise<Run> {
  await daemon.until(({ type, taskId }) => type === "run.question_asked" && taskId === task.id);
  const [run] = (await daemon.client.getTask({ params: { task: task.id } })).runs;
  if (!run) throw new Error("There is no run.");
  return run;
}

const placesOf = (run: Run) => JSON.parse(run.questions[0]?.input ?? "{}") as { workspace: string; request: string };
const reply = ({ client }: TestDaemon, run: Run, allow: boolean, message: string) =>
  client.answerRun({ params: { run: run.id }, body: { question: run.questions[0]?.id ?? "", allow, message } });

test("a person does a task in their own time, over a restart of the daemon, and our checks look at what they did", async () => {
  await using home = await openHome();
  const first = await home.start();
  const task = await file(home, first, "api", "Sum subtracts");
  const before = await askedRun(first, task);
  const { workspace, request } = placesOf(before);
  expect(await readFile(request, "utf8")).toContain("It subtracts.");
  await first.kill();

  const second = await home.start();
  // Both limits of time have passed for an agent that began later and is no person.
  const slow = await file(home, second, "slow", "Wait");
  expect((await second.taskWith(slow.id, "failed")).reason).toMatch(/timed_out|stalled/u);
  const [run] = (await second.client.getTask({ params: { task: task.id } })).runs;
  expect(run).toMatchObject({ id: before.id, outcome: null, questions: before.questions, state: { state: "waiting_answer" } });
  await writeFile(join(workspace, "sum.js"), "export const sum = (a, b) => a + b;\n");
  await reply(second, before, true, "It was a wrong sign.");

  const settled = await second.settledTask(task.key);
  expect({ status: settled.status, runs: settled.runs.map(({ outcome }) => outcome) }).toMatchObject({
    status: "succeeded",
    runs: [{ status: "succeeded", report: "It was a wrong sign." }],
  });
  expect(git(join(home.folder, "api"), "show", `${settled.branch}:sum.js`)).toContain("a + b");
  await expectNothingLeft(home, second);
});

test("a person who refuses ends the task with their words, which is no failure of theirs", async () => {
  await using home = await openHome();
  const daemon = await home.start();
  const task = await file(home, daemon, "api", "Sum subtracts");
  await reply(daemon, await askedRun(daemon, task), false, "It is right as it is.");
  const { status, reason, message } = await daemon.taskWith(task.id, "failed");
  expect({ status, reason, message }).toEqual({
    status: "failed",
    reason: "permission_denied",
    message: "A person refused: It is right as it is.",
  });
  const { items } = await daemon.client.listCircuits();
  expect(items.filter(({ failures }) => failures > 0)).toEqual([]);
});
