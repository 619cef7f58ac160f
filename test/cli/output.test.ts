import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { examples } from "../../src/api/examples.ts";
import { now, servedPlace, type Ran } from "./running.ts";

const run = examples.getRun.response.id;
const report = examples.getReport.response.id;
const alert = examples.dismissAlert.response.id;

beforeEach(() => vi.stubEnv("TZ", "UTC"));
afterEach(() => vi.unstubAllEnvs());

/** What a person reads. */
function read({ code, out, err }: Ran): string {
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return out;
}

test.each([
  [["status"], { ...examples.getDaemon.response, sequence: 0 }],
  [["daemon", "status"], { ...examples.getDaemon.response, sequence: 0 }],
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
  [["run", "hooks", run], examples.listRunHooks.response],
  [["run", "answer", run, "--allow"], examples.answerRun.response],
  [["report", "list", "--verdict", "issue"], examples.listReports.response],
  [["report", "show", report], examples.getReport.response],
  [["agent", "list"], examples.listAgents.response],
  [["agent", "send", run, "Leave", "it."], examples.sendToRun.response],
  [["agent", "attach", run], examples.attachToRun.response],
  [["audit"], examples.listAudit.response],
  [["alert"], examples.listAlerts.response],
  [["alert", "list", "--all"], examples.listAlerts.response],
  [["alert", "dismiss", alert], examples.dismissAlert.response],
  [["alert", "channels"], examples.listChannels.response],
  [["alert", "test", "team"], { items: [{ channel: "team", error: null }] }],
  [["alert", "test"], { items: [{ channel: "team", error: null }] }],
  [["circuit", "list"], examples.listCircuits.response],
  [["circuit", "reset", "worker:claude"], examples.resetCircuit.response],
  [["account", "list"], examples.listAccounts.response],
  [["account", "reset", "claude"], examples.resetAccount.response],
  [["store", "backup"], examples.backUpStore.response],
  [["queue", "status"], { ...examples.getQueue.response, queued: 0, next: [] }],
  [["pause"], { ...examples.getQueue.response, paused: true, queued: 0, next: [] }],
  [["queue", "clear", "--yes"], { cancelled: 0 }],
])("drover %j --json prints what the API answers, and nothing else", async (args, answer) => {
  await using at = await servedPlace();
  expect(await at.run([...args, "--json"])).toEqual({ code: 0, out: `${JSON.stringify(answer, null, 2)}\n`, err: "" });
});

test("agents are a table with what each does; what one prints is shown as it is", async () => {
  await using at = await servedPlace();
  expect(read(await at.run(["agent", "list"]))).toBe(
    `AGENT   DRIVER  FOUND  VERSION  LOGIN  RUNS\nclaude  claude  yes    2.1.329  yes    1\nclaude on api#42 (solve, working, -): ${run}\n`,
  );
  expect(read(await at.run(["agent", "tail", run]))).toBe("first\nsecond\nthird\n");
  expect(read(await at.run(["agent", "send", run, "Leave", "it."]))).toBe("Told claude, which works on api#42.\n");
});

test("analytics are a row a name, those of all days together", async () => {
  await using at = await servedPlace();
  const { out } = await at.run(["analytics", "--days", "7", "--by", "agent"]);
  expect(
    out
      .trimEnd()
      .split("\n")
      .map((line) => line.trimEnd().split(/ {2,}/)),
  ).toEqual([
    ["AGENT", "RUNS", "SUCCEEDED", "FAILED", "AVERAGE TIME", "TOKENS", "COST"],
    ["api", "14", "12 (86%)", "1", "5 min", "358k", "$2.13"],
  ]);
  expect(JSON.parse((await at.run(["analytics", "--json"])).out)).toEqual(examples.getFigures.response);
});

test("reports are a table; one tells what was found and what was done about it", async () => {
  await using at = await servedPlace();
  expect(read(await at.run(["report", "list"]))).toContain("api#42  issue    supervisory  The agent took the failing test out");
  expect(read(await at.run(["report", "show", report]))).toBe(`api#42: issue
by the supervisory agent of api#43, 2026-01-01 10:15:00
The agent took the failing test out instead of mending the handler.

problem  A test was removed (test-removed)
test/orders.test.js, \`answers 404\`

share api#42: done
Bring the removed test back.
`);
});

test.each([
  [["review", "42", "-p", "api"]],
  [["review", "--branch", "change", "-p", "api"]],
  [["supervise", "task", "api#1"]],
  [["supervise", "project", "-p", "api"]],
  [["supervise", "system", "--causes", "-p", "api"]],
])("drover %j files a task", async (args) => {
  await using at = await servedPlace();
  await at.served.client.createTask({ body: { project: "api", title: "One" } });
  expect(await at.run(args)).toEqual({
    code: 0,
    out: expect.stringMatching(/^Filed api#2: queued\.\n$/),
    err: "Read what it comes to with: drover report list --task 'api#2'\n",
  });
});

test("a review needs one thing to look at", async () => {
  await using at = await servedPlace();
  for (const args of [["review"], ["review", "42", "--branch", "change"]]) expect((await at.run(args)).err).toContain("Say what to review");
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

test.each([
  [
    ["project", "list"],
    "PROJECT  STATE    PRIORITY  WEIGHT  QUEUED  RUNNING  POLLED     PATH\napi      enabled  50        1       3       1        4 min ago  /home/ada/code/api\n",
  ],
  [
    ["project", "status", "api"],
    `api enabled, priority 50, weight 1
Path         /home/ada/code/api
Forge        github, example/api, base main
Credentials  present
Last poll    4 min ago
Queue        3 queued, 1 running, 0 waiting, 0 blocked
Ended        12 succeeded, 1 failed, 0 cancelled
Last error   none
`,
  ],
  [["project", "unregister", "api"], "Forgot api. Its open tasks are cancelled; saved work stays.\n"],
  [["project", "enable", "api"], "api: enabled, priority 50, weight 1.\n"],
  [["project", "disable", "api"], "api: disabled, priority 50, weight 1.\n"],
  [
    ["queue"],
    "2 queued of at most 10000, 1 running, weighted-round-robin.\nHeld up: web, implement. The account of agent claude is at its usage limit until 2026-01-01 18:00.\n#  TASK   STATUS  PRIORITY  UPDATED    TITLE\n1  api#1  queued  50        2 min ago  One\n2  api#2  queued  50        2 min ago  Two\n",
  ],
  [["pause"], "Paused. 2 queued of at most 10000, 1 running, weighted-round-robin.\n"],
  [["resume"], "2 queued of at most 10000, 1 running, weighted-round-robin.\n"],
  [
    ["worker", "list"],
    "WORKER  STATUS   AGENT   KIND    PROGRESS  STATE               HEARTBEAT  TASK\n1       running  claude  worker  working   waiting permission  0 s ago    api#42\n",
  ],
  [["worker", "stop", "1"], "Worker 1 is being stopped. Its task api#42 is cancelled; its work is saved first.\n"],
  [
    ["run", "list"],
    `${"RUN".padEnd(40)}  TASK    STAGE    AGENT   STARTED    COST   STATE\n${run}  api#42  solve 1  claude  2 min ago  $0.08  waiting permission\n`,
  ],
  [
    ["run", "hooks", run],
    '2026-01-01 10:15:29  tool     PostToolUse Write  {"tool_input":{"file_path":"/workspace/orders.js"},"duration_ms":12}\n',
  ],
  [["agent", "attach", run], "tmux -L drover-3f1c attach-session -t '=drover:@3'\n"],
  [["run", "answer", run, "--deny", "-m", "No."], "Answered. api#42 goes on.\n"],
  [
    ["audit"],
    'WHEN                 WHO  WHAT         TO                                         DETAIL\n2026-01-01 10:15:00  cli  task.cancel  task_019b7a2e-5c00-7000-8000-000000000002  {"key":"api#42"}\n',
  ],
  [
    ["alert"],
    `poll_failed api  open, 3 times, now  ${alert}\n  GitHub did not answer for 15 minutes. Nothing was changed; the next look is in 5 minutes.\n`,
  ],
  [["alert", "dismiss", alert], "Dismissed: poll_failed of api.\n"],
  [
    ["alert", "channels"],
    "CHANNEL  KIND   FOR  LAST SENT  WAITING  STATE\nteam     slack  api  now        1        fails: It answered 429: rate_limited\n",
  ],
  [["alert", "test"], "team was sent a message.\n"],
  [["task", "depend", "api#2", "--on", "api#1"], "api#2: waiting, after api#1.\n"],
  [["task", "depend", "api#2", "--nothing"], "api#2: queued, after nothing.\n"],
  [
    ["circuit", "list"],
    "CIRCUIT        STATE  FAILURES  UNTIL                LAST FAILURE\nworker:claude  open   5         2026-01-01 10:16:00  agent_error: The agent's program ended with exit code 1.\n",
  ],
  [["circuit", "reset", "worker:claude"], "Circuit worker:claude is closed.\n"],
  [
    ["account", "list"],
    "ACCOUNT              AGENTS  RUNNING  STATE                                  LAST REFUSAL\nclaude-3f9a1c07b2de  claude  1        usage limit until 2026-01-01 11:15:00  usage_limit: You have reached your usage limit.\n",
  ],
  [["account", "reset", "claude"], "The limits of account claude-3f9a1c07b2de are forgotten.\n"],
  [["task", "cancel", "api#1"], "api#1 is cancelled.\n"],
  [["task", "retry", "api#1"], "api#1: queued.\n"],
  [["task", "diff", "api#1"], examples.getTaskDiff.response],
  [["store", "backup"], "Saved to /home/ada/.drover/backups/2026-01-01T10-15-00.db (1 MB).\n"],
] as const)("drover %j reads well", async (words, text) => {
  await using at = await servedPlace();
  for (const title of ["One", "Two"]) await at.served.client.createTask({ body: { project: "api", title } });
  expect(read(await at.run(words))).toBe(text);
});

test("events are a line each, whatever they say; without --after the last ones are shown", async () => {
  await using at = await servedPlace();
  at.served.events.append(
    { type: "task.created", data: { key: "api#1", title: "One", status: "queued" } },
    { type: "run.started", data: { attempt: 1, agent: "claude", worker: 2, stage: "implement" } },
    { type: "run.progressed", data: { progress: "working" } },
    { type: "run.message", data: { text: "Reading\norders.js" } },
    { type: "run.tool_called", data: { tool: "Bash", input: "npm test" } },
    { type: "run.tool_finished", data: { tool: "Bash", failed: true } },
    { type: "run.question_asked", data: { id: "q1", tool: "Bash", input: "rm -rf build" } },
    { type: "run.check_finished", data: { name: "test", tree: "head", exitCode: 1 } },
    {
      type: "run.ended",
      data: { outcome: { status: "failed", reason: "check_failed", message: "test fails", proof: null, retryAt: null } },
    },
    { type: "run.ended", data: { outcome: { status: "no_change", report: "" } } },
    { type: "run.ended", data: { outcome: { status: "cancelled", by: "user", message: "Enough." } } },
    { type: "effect.done", data: { kind: "push", url: null } },
    { type: "effect.failed", data: { kind: "push", message: "refused", final: false } },
    { type: "daemon.stopped", data: { how: "drain" } },
  );
  expect(read(await at.run(["events"]))).toBe(`2026-01-01 10:15:00  -           task.created            api#1 One (queued)
2026-01-01 10:15:00  -           run.started             implement, attempt 1, claude on worker 2
2026-01-01 10:15:00  -           run.progressed          working
2026-01-01 10:15:00  -           run.message             Reading orders.js
2026-01-01 10:15:00  -           run.tool_called         Bash npm test
2026-01-01 10:15:00  -           run.tool_finished       Bash failed
2026-01-01 10:15:00  -           run.question_asked      asks q1: Bash rm -rf build
2026-01-01 10:15:00  -           run.check_finished      test on the result: fails
2026-01-01 10:15:00  -           run.ended               failed (check_failed): test fails
2026-01-01 10:15:00  -           run.ended               ended without a change
2026-01-01 10:15:00  -           run.ended               cancelled by user: Enough.
2026-01-01 10:15:00  -           effect.done             push
2026-01-01 10:15:00  -           effect.failed           push: refused
2026-01-01 10:15:00  -           daemon.stopped          how=drain
`);
  expect(read(await at.run(["events", "-n", "1"]))).toBe("2026-01-01 10:15:00  -           daemon.stopped          how=drain\n");
  expect(await at.run(["events", "-n", "1", "--after", "3"])).toMatchObject({
    code: 0,
    err: "There are more: --after 4, or a larger --limit\n",
  });
});

test("an event among those of others says which task or project it is about", async () => {
  await using at = await servedPlace();
  const task = await at.served.client.createTask({ body: { project: "api", title: "One" } });
  at.served.events.append(
    { type: "task.created", projectId: task.projectId, taskId: task.id, data: { key: task.key, title: "One", status: "queued" } },
    { type: "run.progressed", projectId: task.projectId, taskId: task.id, data: { progress: "working" } },
    { type: "queue.paused", data: { by: "ada" } },
  );
  expect(read(await at.run(["events", "-n", "3"]))).toBe(`2026-01-01 10:15:00  api#1       task.created            api#1 One (queued)
2026-01-01 10:15:00  api#1       run.progressed          working
2026-01-01 10:15:00  -           queue.paused            by=ada
`);
  const newest = "2026-01-01 10:15:00  api#1       run.progressed          working\n";
  expect(read(await at.run(["events", "-t", task.key, "-n", "1"]))).toBe(newest);
  expect(read(await at.run(["task", "logs", task.key]))).toContain("2026-01-01 10:15:00  run.progressed          working\n");
});

test("a look at the issues says why some were ignored", async () => {
  await using at = await servedPlace();
  at.served.events.append({ type: "issue.ignored", data: { issue: 2, reason: "before" } });
  at.served.memory.poll = () => {
    at.served.events.append({ type: "issue.ignored", data: { issue: 4, reason: "Its front matter is no YAML:\nlabels: [Claude" } });
    return { created: 1, ignored: 1, cancelled: 0 };
  };
  expect(await at.run(["project", "poll", "api"])).toEqual({
    code: 0,
    out: "1 new, 1 ignored, 0 cancelled.\n",
    err: "Ignored #4: Its front matter is no YAML: labels: [Claude\n",
  });
});

test("a task that is filed again with its key is said to be there already", async () => {
  await using at = await servedPlace();
  const add = ["task", "add", "-p", "api", "--key", "once", "One"];
  expect((await at.run(add)).out).toBe("Filed api#1: queued.\n");
  expect((await at.run(add)).out).toBe("api#1 was filed with this key before: queued.\n");
  expect(JSON.parse((await at.run([...add, "--json"])).out)).toMatchObject({ key: "api#1", created: false });
});

test("a task names what it waits for", async () => {
  await using at = await servedPlace();
  const first = await at.served.client.createTask({ body: { project: "api", title: "One" } });
  await at.served.client.createTask({ body: { project: "api", title: "Two", dependsOn: [first.key] } });
  expect(read(await at.run(["task", "show", "api#2"]))).toContain("After        api#1 One: queued\n");
});

test("a channel that can't be told fails its test", async () => {
  await using at = await servedPlace();
  expect(await at.run(["alert", "test", "other"])).toEqual({
    code: 1,
    out: "Channel other (slack) was not told. It answered 500\n",
    err: "",
  });
});

test("what a task is to wait for has to be said", async () => {
  await using at = await servedPlace();
  for (const words of [[], ["--on", "api#1", "--nothing"]]) {
    expect(await at.run(["task", "depend", "api#2", ...words])).toMatchObject({
      code: 2,
      err: expect.stringContaining("--on, or --nothing"),
    });
  }
});

test("the graph is a table in an order in which the tasks can be done, or text for a program that draws it", async () => {
  await using at = await servedPlace();
  expect(read(await at.run(["graph"]))).toBe("No open tasks.\n");
  const { client } = at.served;
  for (const title of ["One", "Two"]) await client.createTask({ body: { project: "api", title } });
  await client.createTask({ body: { project: "api", title: "Three", dependsOn: ["api#1", "api#2"] } });
  await client.setDependencies({ params: { task: "api#1" }, body: { dependsOn: ["api#2"] } });
  expect(read(await at.run(["graph"]))).toBe(`TASK   STATUS   AFTER         PART OF  TITLE
api#2  queued   -             -        Two
api#1  waiting  api#2         -        One
api#3  queued   api#1, api#2  -        Three
`);
  expect(read(await at.run(["graph", "--format", "dot"]))).toContain("  t1 -> t2;\n");
  expect(read(await at.run(["graph", "--format", "mermaid"]))).toContain("  t1 --> t2\n");
  expect((JSON.parse((await at.run(["graph", "--json"])).out) as { tasks: unknown[] }).tasks).toHaveLength(3);
});

test("register and restore name folders in full, wherever they are typed", async () => {
  await using at = await servedPlace();
  await at.served.client.createTask({ body: { project: "api", title: "One" } });
  expect((await at.run(["project", "register", "."])).out).toBe(`Registered api (${at.folder}).\n`);
  expect((await at.run(["task", "restore", "api#1", "out", "--checkpoint", "1"])).out).toBe(
    `The work of api#1 (9fceb02d0ae5) is in ${at.folder}/out.\n`,
  );
  expect(at.served.memory.asked.map(({ body }) => body).slice(1)).toEqual([{ path: at.folder }, { to: `${at.folder}/out`, checkpoint: 1 }]);
});

test("a list that is cut says how to go on", async () => {
  await using at = await servedPlace();
  for (const title of ["One", "Two", "Three"]) await at.served.client.createTask({ body: { project: "api", title } });
  const first = await at.run(["task", "list", "-n", "2"]);
  expect([first.code, first.err]).toEqual([0, "There are more: --after 2, or a larger --limit\n"]);
  expect((await at.run(["task", "list", "-n", "2", "--after", "2"])).out).toContain("One");
});

test("tasks are a table whose columns line up, whatever the script of their titles", async () => {
  await using at = await servedPlace();
  expect(await at.run(["task", "list"])).toEqual({ code: 0, out: "No such tasks.\n", err: "" });
  for (const title of ["日本語の題名", "Second"]) await at.served.client.createTask({ body: { project: "api", title } });
  expect(read(await at.run(["task", "list"]))).toBe(`TASK   STATUS  STAGE  UPDATED    COST  TITLE
api#2  queued  solve  2 min ago  -     Second
api#1  queued  solve  2 min ago  -     日本語の題名
`);
});

test("a task is a page with its runs, what they ask, and its saved work", async () => {
  await using at = await servedPlace();
  await at.served.client.createTask({ body: { project: "api", title: "One", body: "In full,\non two lines." } });
  expect(read(await at.run(["task", "show", "api#1"]))).toBe(`api#1 One
Status       queued
Stage        solve of issue, attempt 1 of 3
Priority     50
Source       api by cli
Created      3 min ago
Usage        0 in, 0 out, -
Branch       drover/7-answer-404-for-an-unknown-order (not pushed)
Run          ${run}  solve 1, claude: working on worker 1, for 2 min
  state      waiting permission for 2 min, 100 % sure: it asks to use Bash
  asks       q1: Bash {"command":"npm test"}

In full,
on two lines.
`);
});

test("a deadline may be a date or a time from now", async () => {
  await using at = await servedPlace();
  const deadline = async (text: string) => {
    expect((await at.run(["task", "add", "-p", "api", "--deadline", text, "x"])).code).toBe(0);
    const body = at.served.memory.asked.at(-1)?.body;
    return (body as { deadlineAt: number }).deadlineAt;
  };
  expect(await deadline("2030-01-31T18:00Z")).toBe(Date.UTC(2030, 0, 31, 18));
  expect(await deadline("90m")).toBe(now + 90 * 60_000);
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
    ["alert"],
    ["message"],
    ["message", "dead"],
    ["message", "show", examples.getMessage.response.id],
    ["graph"],
    ["graph", "--format", "dot"],
    ["graph", "--format", "mermaid"],
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
  expect((await at.run(["logs", "--worker", "2"])).out).toBe("not JSON\n");
});
