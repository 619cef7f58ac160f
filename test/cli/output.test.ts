import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { examples } from "../../src/api/examples.ts";
import { servedPlace, type Ran } from "./running.ts";

const run = examples.getRun.response.id;

afterEach(() => vi.unstubAllEnvs());

/** What a person reads, with the times of day and the lengths of time replaced: they depend on when the test runs. */
function read({ code, out, err }: Ran): string {
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "TIME").replace(/\d+ (?:s|min|h|days) ago/g, "N ago");
}

test.each([
  [["status"], examples.getDaemon.response],
  [["daemon", "status"], examples.getDaemon.response],
  [["project", "list"], { items: [examples.getProject.response], next: null }],
  [["project", "status", "api"], examples.getProject.response],
  [["project", "set-priority", "80", "api"], { ...examples.getProject.response, priority: 80 }],
  [["project", "set-weight", "2.5", "api"], { ...examples.getProject.response, weight: 2.5 }],
  [["project", "disable", "api"], { ...examples.getProject.response, enabled: false }],
  [["project", "unregister", "api"], examples.getProject.response],
  [["task", "diff", "api#1"], { patch: examples.getTaskDiff.response }],
  [["worker", "list"], examples.listWorkers.response],
  [["worker", "stop", "1"], examples.stopWorker.response],
  [["run", "list"], examples.listRuns.response],
  [["run", "answer", run, "--allow"], examples.answerRun.response],
  [["audit"], examples.listAudit.response],
  [["alerts"], examples.listAlerts.response],
  [["store", "backup"], examples.backUpStore.response],
  [["queue", "status"], { ...examples.getQueue.response, queued: 0, next: [] }],
  [["pause"], { ...examples.getQueue.response, paused: true, queued: 0, next: [] }],
  [["queue", "clear", "--yes"], { cancelled: 0 }],
])("drover %j --json prints what the API answers, and nothing else", async (args, answer) => {
  await using at = await servedPlace();
  expect(await at.run([...args, "--json"])).toEqual({ code: 0, out: `${JSON.stringify(answer, null, 2)}\n`, err: "" });
});

test("status is a page", async () => {
  await using at = await servedPlace();
  expect(read(await at.run(["status"]))).toBe(`Drover 0.1.0 ok  http://127.0.0.1:3003  pid 4242
Home      /home/ada/.drover
Up        15 min
Queue     3 queued, 0 waiting, 0 blocked (weighted-round-robin)
Workers   1 of 2 busy
Tasks     12 succeeded, 1 failed, 0 cancelled
Projects  2
Memory    daemon 88 MB, agents 610 MB
`);
});

test("tasks are a table whose columns line up, whatever the script of their titles", async () => {
  await using at = await servedPlace();
  expect(await at.run(["task", "list"])).toEqual({ code: 0, out: "No such tasks.\n", err: "" });
  for (const title of ["日本語の題名", "Second"]) await at.served.client.createTask({ body: { project: "api", title } });
  expect(read(await at.run(["task", "list"]))).toBe(`TASK   STATUS  STAGE  UPDATED       COST  TITLE
api#2  queued  solve  N ago  -     Second
api#1  queued  solve  N ago  -     日本語の題名
`);
});

test("a task is a page with its runs, what they ask, and its saved work", async () => {
  await using at = await servedPlace();
  await at.served.client.createTask({ body: { project: "api", title: "One", body: "In full,\non two lines." } });
  expect(read(await at.run(["task", "show", "api#1"])).replace(/\d+ days\n/, "N days\n")).toBe(`api#1 One
Status       queued
Stage        solve of issue, attempt 1 of 3
Priority     50
Source       api by cli
Created      N ago
Usage        0 in, 0 out, -
Branch       drover/7-answer-404-for-an-unknown-order
Run          ${run}  solve 1, claude: working on worker 1, for N days
  asks       q1: Bash {"command":"npm test"}

In full,
on two lines.
`);
});

test("add files a task in the project of the current folder, as the command line", async () => {
  await using at = await servedPlace();
  at.served.memory.projectPath = at.folder;
  const folder = join(at.folder, "src");
  mkdirSync(folder);
  const words = [
    "task",
    "add",
    "Fix",
    "the",
    "importer",
    "--body-file",
    "-",
    "--priority",
    "70",
    "--after",
    "api#3",
    "--after",
    "api#4",
    "--plan",
  ];
  expect(await at.spawn(words, { input: "In full.", folder })).toEqual({
    code: 0,
    out: "Filed api#1: queued.\n",
    err: "Watch it with: drover task logs -f api#1\n",
  });
  expect(at.served.memory.asked.at(-1)).toEqual({
    name: "createTask",
    actor: "cli",
    params: {},
    body: {
      project: "api",
      title: "Fix the importer",
      body: "In full.",
      mode: "plan",
      priority: 70,
      dependsOn: ["api#3", "api#4"],
      draft: false,
    },
  });
});

test("a deadline may be a date or a time from now", async () => {
  await using at = await servedPlace();
  const deadline = async (text: string) => {
    expect((await at.run(["task", "add", "-p", "api", "--deadline", text, "x"])).code).toBe(0);
    const body = at.served.memory.asked.at(-1)?.body;
    return (body as { deadlineAt: number }).deadlineAt;
  };
  expect(await deadline("2030-01-31T18:00Z")).toBe(Date.UTC(2030, 0, 31, 18));
  const before = Date.now();
  const at90m = await deadline("90m");
  expect(at90m - before).toBeGreaterThanOrEqual(90 * 60_000);
  expect(at90m - Date.now()).toBeLessThanOrEqual(90 * 60_000);
});

test("queue clear without a terminal and without --yes removes nothing; with --yes it does", async () => {
  await using at = await servedPlace();
  for (const title of ["One", "Two"]) await at.served.client.createTask({ body: { project: "api", title } });
  expect(await at.run(["queue", "clear"])).toEqual({
    code: 2,
    out: "",
    err: "drover: Cancel 2 queued tasks? There is no terminal to ask at: say --yes.\n",
  });
  expect(at.served.memory.tasks.map(({ status }) => status)).toEqual(["queued", "queued"]);
  expect(await at.run(["queue", "clear", "-y"])).toEqual({ code: 0, out: "Cancelled 2 tasks.\n", err: "" });
  expect(at.served.memory.tasks.map(({ status }) => status)).toEqual(["cancelled", "cancelled"]);
});

test("what others wrote cannot steer the terminal, hide or reorder text, in any form of output", async () => {
  await using at = await servedPlace();
  const hostile =
    "a\u001b]0;title\u0007b\u001b[2Jc\u009b31md\u001b]52;c;aGk=\u001b\\e\rf\u202eg\u200bh\u001b]8;;http://evil.example\u001b\\i";
  at.served.memory.hostileText = hostile;
  await at.served.client.createTask({ body: { project: "api", title: hostile, body: `${hostile}\nmore` } });
  at.served.events.append(
    { type: "run.message", data: { text: hostile } },
    { type: "write.refused", data: { what: hostile, epoch: 1, current: 2 } },
  );
  const commands = [
    ["task", "list"],
    ["task", "show", "api#1"],
    ["queue"],
    ["task", "diff", "api#1"],
    ["alerts"],
    ["audit"],
    ["events"],
    ["project", "status", "api"],
    ["task", "show", hostile.replaceAll("\u0000", "")],
  ];
  const ran = await Promise.all(
    commands.flatMap((one) => [one, [...one, "--json"]]).map(async (args) => ({ args, ...(await at.run(args)) })),
  );
  for (const { args, out, err } of ran) {
    // oxlint-disable-next-line no-control-regex -- These are what is looked for.
    expect([args, (out + err).match(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e]/gu)]).toEqual([args, null]);
  }
  const json = JSON.parse((await at.run(["task", "list", "--json"])).out) as { items: { title: string }[] };
  expect(json.items[0]?.title).toBe(hostile);
});

test("logs shows the last lines of a log, as text or JSON", async () => {
  vi.stubEnv("TZ", "UTC");
  await using at = await servedPlace();
  mkdirSync(join(at.home, "logs"));
  const lines = Array.from({ length: 4000 }, (_, index) =>
    JSON.stringify({ level: "warn", time: 1_767_262_500_000 + index * 1000, taskId: `t${index}`, msg: `änderung ${index}` }),
  );
  writeFileSync(join(at.home, "logs", "daemon.log"), `${lines.join("\n")}\n`);
  writeFileSync(join(at.home, "logs", "worker-2.log"), "not JSON \u001b[31m\n");
  expect((await at.run(["logs", "-n", "2"])).out).toBe(
    "2026-01-01 11:21:38 warn  änderung 3998 taskId=t3998\n2026-01-01 11:21:39 warn  änderung 3999 taskId=t3999\n",
  );
  expect((await at.run(["logs", "-n", "3000", "--json"])).out).toBe(`${lines.slice(1000).join("\n")}\n`);
  expect((await at.run(["logs", "--worker", "2"])).out).toBe("not JSON [31m\n");
});
