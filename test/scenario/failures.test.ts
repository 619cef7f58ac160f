import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Event } from "../../src/contract/event.ts";
import type { TaskDetail } from "../../src/contract/routes.ts";
import type { Step } from "../programs/follows-orders.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { OrderedScene } from "../support/ordered-scene.ts";

const HOUR = 3_600_000;
const fail = (reason: string): Step[] => [{ fail: reason }];
const cost = (usd: number): Step => ({
  say: { type: "usage", usage: { inputTokens: 100, outputTokens: 10, costUsdMicros: usd * 1_000_000 } },
});

test.each([
  ["agent_error", 3],
  ["network", 3],
  ["auth", 1],
  ["permission_denied", 1],
])("a failure by %s gets %d attempts", async (reason, attempts) => {
  await using scene = await OrderedScene.open();
  scene.order("first", fail(reason));
  const daemon = await scene.home.start();
  await scene.file(daemon, 1);
  const task = await daemon.settledTask("api#1");
  expect([task.status, task.reason, task.attempt, task.runs.length]).toEqual(["failed", reason, attempts, attempts]);
});

test("an agent that keeps failing opens its circuit: its tasks wait, also through a kill -9, until a person closes it", async () => {
  await using scene = await OrderedScene.open({ breakers: { workerFailures: 2 }, defaults: { retryAttempts: 1 } });
  scene.order("first", fail("agent_error"));
  const first = await scene.home.start();
  await scene.file(first, 3);
  await changed(first, "worker:first", "open");
  await first.settledTask("api#2");
  await first.kill();

  const second = await scene.home.start();
  const circuits = (await second.client.listCircuits()).items;
  for (const expected of [
    { id: "system", level: "system", state: "closed" },
    { id: "worker:first", level: "worker", state: "open", failures: 2, message: "agent_error: It failed by agent_error." },
    { id: "worker:second", level: "worker", state: "closed" },
    { id: "stage:issue.implement", level: "stage", state: "closed", failures: 2 },
    { id: "stage:issue-plan.plan", level: "stage", state: "closed" },
  ]) {
    expect(circuits.find(({ id }) => id === expected.id)).toMatchObject(expected);
  }
  expect((await second.client.health()).circuits).toEqual({ closed: circuits.length - 1, open: 1, halfOpen: 0 });
  const queue = await second.client.getQueue();
  expect([queue.queued, queue.next, queue.held]).toMatchObject([1, [], [{ project: "api", stage: "implement", reason: "circuit_open" }]]);
  expect((await second.client.listAlerts()).items.map(({ kind, subject }) => [kind, subject])).toContainEqual([
    "circuit_open",
    "worker:first",
  ]);
  expect((await second.client.getTask({ params: { task: "api#3" } })).runs).toEqual([]);

  scene.order("first", ["done"]);
  await expect(second.client.resetCircuit({ params: { circuit: "worker:third" } })).rejects.toMatchObject({ code: "not_found" });
  expect(await second.client.resetCircuit({ params: { circuit: "worker:first" } })).toMatchObject({ state: "closed", failures: 0 });
  expect((await second.settledTask("api#3")).status).toBe("succeeded");
  expect((await second.client.listAudit()).items[0]).toMatchObject({ action: "circuit.reset", subject: "worker:first" });
  expect((await second.client.listAlerts()).items.map(({ kind }) => kind)).not.toContain("circuit_open");
});

test("after its cool-down a circuit lets one trial start; one that fails doubles the wait, one that succeeds lets all start", async () => {
  await using scene = await OrderedScene.open({
    breakers: { workerFailures: 1, coolDownMs: 1000 },
    defaults: { retryAttempts: 1 },
    daemon: { maxProcesses: 4 },
  });
  scene.order("first", fail("auth"), fail("agent_error"), ["done"]);
  const daemon = await scene.home.start();
  await scene.file(daemon, 1);
  await changed(daemon, "worker:first", "open");
  for (let number = 2; number <= 5; number += 1) await daemon.client.createTask({ body: { project: "api", title: `Task ${number}` } });
  for (const key of ["api#2", "api#3", "api#4", "api#5"]) await daemon.settledTask(key);

  const events = await daemon.until(({ type, taskId }) => type === "circuit.changed" && taskId === null && scene.started("first") === 5);
  const all = [...events, ...(await daemon.client.listEvents({ query: { after: String(events.at(-1)?.sequence), limit: 500 } })).items];
  const story = all.flatMap((event) => {
    if (event.type === "run.started") return ["start"];
    return event.type === "circuit.changed" ? [`${event.data.from} ${event.data.to}`] : [];
  });
  expect(story).toEqual([
    "start",
    "closed open",
    "start",
    "open half_open",
    "half_open open",
    "start",
    "open half_open",
    "half_open closed",
    "start",
    "start",
  ]);
  const openings = all.flatMap((event) => (event.type === "circuit.changed" && event.data.to === "open" ? [event] : []));
  expect(openings.map(({ at, data }) => (data.openUntil ?? 0) - at)).toEqual([1000, 2000]);
});

test("a person who retries a task, or changes an agent's settings, has mended something: an open circuit has its trial at once", async () => {
  await using scene = await OrderedScene.open({ breakers: { coolDownMs: HOUR, coolDownMaxMs: HOUR } });
  scene.order("first", fail("auth"));
  const daemon = await scene.home.start();
  await scene.file(daemon, 2);
  await changed(daemon, "worker:first", "open");
  const failed = await daemon.settledTask("api#1");
  scene.order("first", fail("auth"));
  const file = join(scene.home.home, "config.yaml");
  writeFileSync(file, readFileSync(file, "utf8").replace("first:\n    driver", "first:\n    model: other\n    driver"));
  expect((await daemon.settledTask("api#2")).reason).toBe("auth");
  scene.order("first", ["done"]);
  await daemon.client.retryTask({ params: { task: failed.key } });
  await changed(daemon, "worker:first", "closed");
});

test("enough open circuits of agents open that of the system; a stage that keeps failing stops that stage alone", async () => {
  await using scene = await OrderedScene.open({
    breakers: { systemWorkers: 2, stageFailures: 1, workerFailures: 5 },
    defaults: { handOver: ["second"], retryAttempts: 1 },
    checks: [{ name: "green", command: "test ! -e sessions.txt" }] as never,
  });
  scene.order("first", ["done"], ["done"], fail("auth"));
  scene.order("second", fail("auth"));
  const daemon = await scene.home.start();
  await scene.file(daemon, 2);
  const plan = await daemon.client.createTask({ body: { project: "api", title: "Plan it", mode: "plan" } });
  await changed(daemon, "stage:issue.implement", "open");
  expect((await daemon.settledTask(plan.key)).status).toBe("succeeded");
  expect((await daemon.client.getTask({ params: { task: "api#2" } })).runs).toEqual([]);

  for (const title of ["One", "Two"]) await daemon.client.createTask({ body: { project: "api", title, mode: "plan" } });
  await changed(daemon, "system", "open");
  const held = (await daemon.client.getQueue()).held;
  expect(held).toMatchObject([{ stage: "implement", reason: "circuit_open", message: expect.stringContaining("Circuit system") }]);
});

test("a task at a usage limit waits until its end, also through a kill -9, and goes on in its session; the others of the account wait too", async () => {
  await using scene = await OrderedScene.open({ defaults: { retryAttempts: 1 } });
  // So long that even a slow daemon hears of the limit before it is over.
  scene.order("first", [{ limitMs: 15_000 }], ["done"]);
  const first = await scene.home.start();
  await scene.file(first, 2);
  await first.until((event) => event.type === "account.changed");
  const parked = await first.client.getTask({ params: { task: "api#1" } });
  expect(parked).toMatchObject({ status: "queued", reason: "usage_limit", attempt: 0 });
  expect(await accountOf(first, "first")).toMatchObject({
    key: "first",
    agents: ["first"],
    limitedUntil: parked.runAfter,
    message: expect.stringContaining("usage_limit"),
  });
  expect((await first.client.getQueue()).held).toMatchObject([{ reason: "usage_limit", until: parked.runAfter }]);
  await first.kill();

  const second = await scene.home.start();
  const tasks = [await second.settledTask("api#1"), await second.settledTask("api#2")];
  const [resumed, limited] = tasks[0]?.runs ?? [];
  expect(tasks.map(({ status, attempt, runs }) => [status, attempt, runs.length])).toEqual([
    ["succeeded", 1, 2],
    ["succeeded", 1, 1],
  ]);
  expect(resumed?.resumesSessionId).toBe(limited?.sessionId);
  for (const run of tasks.flatMap(({ runs }) => runs))
    if (run.id !== limited?.id) expect(run.startedAt).toBeGreaterThanOrEqual(parked.runAfter);
});

test("a task whose agent is at its usage limit is handed over at once: the other one begins a session of its own and is told so", async () => {
  await using scene = await OrderedScene.open({ defaults: { handOver: ["second"], retryAttempts: 1 } });
  scene.order("first", [{ limitMs: HOUR }]);
  scene.order("second", ["done"]);
  const daemon = await scene.home.start();
  await scene.file(daemon, 2);
  const tasks = [await daemon.settledTask("api#1"), await daemon.settledTask("api#2")];
  expect(tasks.map(({ status, attempt, runs }) => [status, attempt, runs.map((run) => [run.agent, run.resumesSessionId])])).toEqual([
    [
      "succeeded",
      1,
      [
        ["second", null],
        ["first", null],
      ],
    ],
    ["succeeded", 1, [["second", null]]],
  ]);
  expect(starts(await history(daemon)).map(({ data }) => data.handedOverFrom)).toEqual([null, "first", null]);
  expect(scene.prompt("second", 1)).toContain("made by another agent, first");
  // It found what the first one had written.
  expect(tasks[0]?.runs).toHaveLength(2);

  expect(await daemon.client.resetAccount({ params: { account: "first" } })).toMatchObject({ limitedUntil: null });
  expect((await daemon.client.listAudit()).items[0]).toMatchObject({ action: "account.reset", subject: "first" });
});

test("an overload that one agent tells of slows down all of its account, and uses up no attempt", async () => {
  await using scene = await OrderedScene.open({ defaults: { retryAttempts: 1 }, daemon: { maxProcesses: 4 } });
  scene.order("first", [{ say: { type: "retrying", attempt: 1, message: "Too many requests.", status: 429 } }, "wait"]);
  const daemon = await scene.home.start();
  await scene.file(daemon, 1);
  await daemon.until((event) => event.type === "account.changed");
  await daemon.client.createTask({ body: { project: "api", title: "Another" } });
  expect(await accountOf(daemon, "first")).toMatchObject({ key: "first", running: 1, runningMax: 1, message: "Too many requests." });
  expect((await daemon.client.getQueue()).held).toMatchObject([{ reason: "overloaded" }]);
  expect((await daemon.client.getTask({ params: { task: "api#2" } })).runs).toEqual([]);
});

test("a run that uses up its task's budget is stopped with its work saved; another attempt is not even begun", async () => {
  await using scene = await OrderedScene.open({ defaults: { budget: { taskUsd: 0.01 } } });
  scene.order("first", [cost(0.02), "wait"]);
  const daemon = await scene.home.start();
  await scene.file(daemon, 1);
  const task = await daemon.settledTask("api#1");
  expect([task.status, task.reason, task.runs.length]).toEqual(["failed", "budget", 1]);
  expect(task.message).toContain("$0.01");
  const restored = await daemon.client.restoreTask({ params: { task: "api#1" }, body: { to: join(scene.home.folder, "restored") } });
  expect(readFileSync(join(restored.path, "sessions.txt"), "utf8")).toBe(`${task.runs[0]?.sessionId}\n`);

  await daemon.client.retryTask({ params: { task: "api#1" } });
  await daemon.until((event) => starts([event]).length > 0 && event.runId !== task.runs[0]?.id);
  const again = await daemon.settledTask("api#1");
  expect([again.reason, scene.started("first")]).toEqual(["budget", 1]);
});

test("tokens have their price where the agent tells no cost, and a budget of their own", async () => {
  const tokens: Step = { say: { type: "usage", usage: { inputTokens: 3000, outputTokens: 2000, cacheReadTokens: 10_000 } } };
  const prices = { usdPerMillionTokens: { input: 3, output: 15, cacheRead: 0.3 } };
  await using scene = await OrderedScene.open({ defaults: { budget: { taskTokens: 5000 } } }, prices);
  scene.order("first", [tokens, "wait"]);
  const daemon = await scene.home.start();
  await scene.file(daemon, 1);
  const task = await daemon.settledTask("api#1");
  expect([task.reason, task.usage.costUsdMicros]).toEqual(["budget", 42_000]);
});

test("when the day's budget is used up every run of it is stopped, whichever told of it; they go on in their sessions the next day", async () => {
  await using scene = await OrderedScene.open({ defaults: { budget: { dayUsd: 1 } }, daemon: { maxProcesses: 3 } });
  // What a run may cost is unknown at first: one starts alone. Then three at a time fit.
  scene.order("first", [cost(0.1), "done"], [cost(0.05), "wait"], [cost(0.05), "wait"], [cost(0.9), "wait"]);
  const daemon = await scene.home.start();
  await scene.file(daemon, 5);
  await daemon.settledTask("api#1");
  const waiting = await Promise.all(["api#2", "api#3", "api#4"].map((task) => parkedFor(daemon, task, "budget")));
  const midnight = new Date(new Date().setHours(24, 0, 0, 0)).getTime();
  expect(waiting.map(({ attempt, runAfter }) => [attempt, runAfter])).toEqual(Array(3).fill([0, midnight]));
  const held = { project: "api", reason: "budget", until: midnight, message: expect.stringContaining("is used up until") };
  expect((await daemon.client.getQueue()).held).toMatchObject([held]);
  expect([(await daemon.client.getTask({ params: { task: "api#5" } })).runs, scene.started("first")]).toEqual([[], 4]);
  const [one, second] = starts(await history(daemon));
  const ended = (await history(daemon)).find(({ type, runId }) => type === "run.ended" && runId === one?.runId);
  expect(second?.sequence).toBeGreaterThan(ended?.sequence ?? Infinity);
});

/** Resolves when a circuit has changed to a state. */
function changed(daemon: TestDaemon, circuit: string, to: string): Promise<Event[]> {
  return daemon.until((event) => event.type === "circuit.changed" && event.data.circuit === circuit && event.data.to === to);
}

async function accountOf({ client }: TestDaemon, key: string) {
  return (await client.listAccounts()).items.find((account) => account.key === key);
}

async function parkedFor(daemon: TestDaemon, key: string, reason: string): Promise<TaskDetail> {
  const { id } = await daemon.client.getTask({ params: { task: key } });
  await daemon.until((event) => event.type === "task.status_changed" && event.taskId === id && event.data.reason === reason);
  return daemon.client.getTask({ params: { task: key } });
}

async function history({ client }: TestDaemon): Promise<Event[]> {
  return (await client.listEvents({ query: { limit: 500 } })).items;
}

function starts(events: readonly Event[]) {
  return events.filter((event) => event.type === "run.started");
}
