import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { TestHome } from "../support/daemon.ts";
import { acceptance, builds, calculator, phases, reportOf, tasks } from "../support/prd-scene.ts";
import { makeRepository } from "../support/repository.ts";

vi.setConfig({ testTimeout: 480_000 });

const program = join(import.meta.dirname, "../programs/answers-prompts.ts");
const SECRET = "ghp_prdprdprdprdprdprdprdprdprdprd0000";

test("a person looks at each pass, changes what it came to, and has the tasks that come of it", async () => {
  await using home = await TestHome.make({
    agents: { answers: { driver: "command", command: [process.execPath, program, "${ANSWERS}"], env: ["ANSWERS"] } },
    defaults: { agent: "answers", retryAttempts: 1 },
  });
  const answers = (home.env["ANSWERS"] = join(home.folder, "answers"));
  mkdirSync(answers);
  const leaky = { ...builds.phases, report: `My token is ${SECRET}.\n${builds.phases.report}` };
  writeFileSync(join(answers, "answers.json"), JSON.stringify([leaky, builds.tasks, builds.acceptance]));
  const unchecked = makeRepository(join(home.folder, "unchecked"));
  const checks = "checks: [{ name: none, command: 'true' }]\n";
  const untold = makeRepository(join(home.folder, "untold"), { files: { ".drover/config.yaml": checks } });
  const { path } = makeRepository(join(home.folder, "api"), {
    files: { ".drover/config.yaml": `${checks}project: { tests: { all: node --test, format: tap, files: ["*.test.js"] } }\n` },
  });
  const daemon = await home.start();
  const { client } = daemon;
  await client.registerProject({ body: { path: unchecked.path, name: "unchecked" } });
  await client.registerProject({ body: { path: untold.path, name: "untold" } });
  await client.registerProject({ body: { path, name: "api" } });
  const body = { file: "calculator.md", text: calculator, workflow: "prd-approved" };

  await expect(client.runPrd({ body: { ...body, project: "unchecked" } })).rejects.toMatchObject({ code: "conflict" });
  // Its tasks would all fail at their first gate, after the decomposition was paid for.
  await expect(client.runPrd({ body: { ...body, project: "untold" } })).rejects.toMatchObject({
    code: "invalid",
    message: expect.stringMatching(/^How the tests of untold are run is not known.*set project\.tests/) as string,
  });
  await expect(client.runPrd({ body: { ...body, project: "api", workflow: "issue" } })).rejects.toMatchObject({ code: "invalid" });
  await expect(client.runPrd({ body: { ...body, project: "api", text: "# No more" } })).rejects.toMatchObject({ code: "invalid" });
  await expect(client.createTask({ body: { project: "api", title: "Words", workflow: "prd" } })).rejects.toThrow(
    /takes a PRD and no words/,
  );
  const filed = await client.runPrd({ body: { ...body, project: "api" } });
  expect(filed).toMatchObject({ key: "api#1", title: "A small calculator", created: true });
  const [of, task] = [{ params: { task: "api#1" } }, { task: "api#1" }];
  const untilApproval = (stage: string) =>
    expect
      .poll(() => client.getTask(of), { timeout: 240_000, interval: 500 })
      .toMatchObject({ status: "blocked", reason: "approval", stage });

  await untilApproval("phases");
  const renamed = { phases: phases.phases.map((phase) => ({ ...phase, name: `${phase.name} of all` })) };
  const lost = { phases: phases.phases.slice(0, 1) };
  await expect(client.changePass({ params: { ...task, pass: "phases" }, body: { result: lost } })).rejects.toThrow(/R3 is in no phase/);
  await expect(client.changePass({ params: { ...task, pass: "tasks" }, body: { result: tasks } })).rejects.toMatchObject({
    code: "conflict",
  });
  expect((await client.changePass({ params: { ...task, pass: "phases" }, body: { result: renamed } })).passes[0]).toMatchObject({
    by: "api",
    result: renamed,
  });
  // The agent of the next pass has read the change, and its tasks are to be of the phases as they are now.
  const moved = { tasks: tasks.tasks.map((one) => ({ ...one, phase: `${one.phase} of all` })) };
  writeFileSync(
    join(answers, "answers.json"),
    JSON.stringify([builds.acceptance, { ...builds.tasks, when: "Ground of all", report: reportOf(moved) }]),
  );
  await client.approveTask(of);
  await untilApproval("tasks");
  await client.approveTask(of);
  await untilApproval("acceptance");
  await client.approveTask(of);
  await untilApproval("order");

  await client.changeQueue({ body: { paused: true } });
  const order = moved.tasks.map((one) => ({ ...one, acceptance: acceptance.tests.find((each) => each.task === one.id)?.acceptance ?? [] }));
  const mine = { tasks: [{ ...order[0], title: "sum.js, by a person" }, order[1], order[2]] };
  expect((await client.changePass({ params: { ...task, pass: "order" }, body: { result: mine } })).waves).toEqual([["T1", "T2"], ["T3"]]);
  await client.approveTask(of);
  const { items } = await client.getTaskTree(of);
  const ids = items.map(({ task: one }) => one.id);
  expect(items.slice(1).map(({ task: one }) => [one.title, one.workflow, one.status, one.parameters["acceptance"], one.dependsOn])).toEqual(
    [
      ["sum.js, by a person", "tdd", "queued", "- sum(1, 2) is 3", []],
      ["product.js", "tdd", "queued", "- product(2, 3) is 6", []],
      ["mean.js", "tdd", "waiting", "- mean(2, 4) is 3", [ids[1]]],
    ],
  );
  expect(items[1]?.task.body).toBe(
    'Write sum.js.\n\nIt serves, of "A small calculator":\n\n- R1: The sum\n\nWhat holds for all of it:\n\n- No dependency',
  );
  const { files } = await client.getTaskBundle(of);
  expect(files.map(({ name }) => name)).toEqual([
    "task.json",
    "request.md",
    "changes.patch",
    ...[1, 2, 3, 4].flatMap((run) => ["prompt.md", "outcome.json", "transcript.txt"].map((name) => `run-${run}/${name}`)),
  ]);
  const whole = JSON.stringify(files);
  expect([whole.includes(SECRET), whole.includes("[redacted]"), whole.includes("This is the first pass")]).toEqual([false, true, true]);
});
