import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import type { TestDaemon, TestHome } from "../support/daemon.ts";
import { expectNoProcesses } from "../support/leftovers.ts";
import { git } from "../support/repository.ts";
import { agentsAtWork, fileTasks, openWaitingScene } from "../support/waiting-scene.ts";

test.each(["", ", also while it drains"])(
  "SIGTERM ends the daemon at once and not its agent, which the next one adopts%s",
  async (draining) => {
    await using scene = await openWaitingScene();
    const first = await scene.home.start();
    await fileTasks(scene, first, 1);
    await agentsAtWork(first, 1);
    const before = await runsOf(first);
    if (draining) await first.client.stopDaemon({ body: { mode: "drain" } });

    const askedAt = performance.now();
    process.kill(first.pid, "SIGTERM");
    expect(await first.exited).toBe(0);
    expect(performance.now() - askedAt).toBeLessThan(10_000);
    expect(existsSync(join(scene.home.home, "daemon.pid"))).toBe(false);

    const next = await scene.home.start();
    await next.until((event) => event.type === "run.adopted");
    const after = await runsOf(next);
    expect(after.map(({ id, process }) => [id, process])).toEqual(before.map(({ id, process }) => [id, process]));
    await scene.gate.open();
    const task = await next.settledTask("api#1");
    expect([task.status, task.runs.length, task.attempt]).toEqual(["succeeded", 1, 1]);
    expect(sessionsOn(scene.path, task.branch)).toHaveLength(1);
    expect(await next.stop()).toBe(0);
    await expectNoProcesses(scene.home);
  },
);

/** Ways to have a daemon end its agents. */
const kills: Record<string, (daemon: TestDaemon) => Promise<unknown>> = {
  "by the API": ({ client }) => client.stopDaemon({ body: { mode: "kill" } }),
  "by the API while it drains": async ({ client }) => {
    await client.stopDaemon({ body: { mode: "drain" } });
    await client.stopDaemon({ body: { mode: "kill" } });
  },
  // The first one alone would leave the agents alive.
  "by two signals": async ({ pid }) => ["SIGTERM", "SIGINT"].map((signal) => process.kill(pid, signal)),
};

test.each(Object.entries(kills))(
  "a daemon that is killed %s saves the work and queues the task, which goes on in its session",
  async (_, kill) => {
    await using scene = await openWaitingScene();
    const first = await scene.home.start();
    await fileTasks(scene, first, 1);
    await agentsAtWork(first, 1);
    await kill(first);
    expect(await first.exited).toBe(0);
    await expectNoProcesses(scene.home);

    await scene.gate.open();
    const next = await scene.home.start();
    const task = await next.settledTask("api#1");
    const [second, cut] = task.runs;
    expect(cut?.outcome).toMatchObject({ status: "cancelled", by: "shutdown" });
    expect([task.status, second?.attempt, second?.resumesSessionId]).toEqual(["succeeded", 1, cut?.sessionId]);
    // The second run found what the first had written, and was told its session.
    expect(sessionsOn(scene.path, task.branch)).toEqual([cut?.sessionId, cut?.sessionId]);
  },
);

test("a drain waits for what runs and starts nothing more", async () => {
  await using scene = await openWaitingScene({ daemon: { maxProcesses: 1 } });
  const first = await scene.home.start();
  await fileTasks(scene, first, 2);
  await agentsAtWork(first, 1);
  await first.client.stopDaemon({ body: { mode: "drain" } });
  expect((await first.client.health()).status).toBe("stopping");
  expect((await fetch(`${first.url}/health`)).status).toBe(503);
  await scene.gate.open();
  expect(await first.exited).toBe(0);

  const next = await scene.home.start();
  expect((await next.settledTask("api#1")).runs.map(({ outcome }) => outcome?.status)).toEqual(["succeeded"]);
  await scene.gate.open();
  expect((await next.settledTask("api#2")).runs.map(({ outcome }) => outcome?.status)).toEqual(["succeeded"]);
});

test("a part that does not stop holds up the others no longer than the settings say", async () => {
  await using scene = await openWaitingScene({ daemon: { stopTimeoutMs: 500 } });
  const first = await scene.home.start(join(import.meta.dirname, "../programs/hanging-daemon.ts"));
  await fileTasks(scene, first, 1);
  await agentsAtWork(first, 1);
  await scene.gate.open();
  await first.until((event) => event.type === "run.agent_ended");
  expect(await first.stop()).toBe(0);

  const next = await scene.home.start();
  const task = await next.settledTask("api#1");
  expect([task.status, task.runs.length]).toEqual(["succeeded", 1]);
});

test("a paused queue is still paused after a restart, with all that is in it", async () => {
  await using scene = await openWaitingScene();
  const first = await scene.home.start();
  await first.client.changeQueue({ body: { paused: true } });
  await fileTasks(scene, first, 5);
  const before = await first.client.getQueue();
  expect([before.paused, before.queued, before.next.length]).toEqual([true, 5, 5]);
  expect(await first.stop()).toBe(0);

  const next = await scene.home.start();
  // How it was looked for is told of one life of the daemon.
  expect(await next.client.getQueue()).toEqual({ ...before, looks: expect.anything() });
  await scene.gate.open(5);
  await next.client.changeQueue({ body: { paused: false } });
  for (const task of ["api#1", "api#2", "api#3", "api#4", "api#5"]) expect((await next.settledTask(task)).status).toBe("succeeded");
});

test("a changed limit holds at once in the daemon that runs, and a wrong file changes nothing", async () => {
  await using scene = await openWaitingScene({ daemon: { maxProcesses: 2 } });
  const daemon = await scene.home.start();
  await fileTasks(scene, daemon, 6);
  await agentsAtWork(daemon, 2);
  expect(await running(daemon)).toEqual({ pid: daemon.pid, max: 2, running: 2, queued: 4 });

  changeConfig(scene.home, { maxProcesses: 4 });
  await agentsAtWork(daemon, 4);
  expect(await running(daemon)).toEqual({ pid: daemon.pid, max: 4, running: 4, queued: 2 });

  changeConfig(scene.home, { maxProcesses: 6, maxProceses: 1 });
  await daemon.until((event) => event.type === "alert.raised");
  expect(await running(daemon)).toEqual({ pid: daemon.pid, max: 4, running: 4, queued: 2 });
  expect((await daemon.client.listAlerts()).items).toMatchObject([
    { kind: "config_rejected", message: expect.stringMatching(/config\.yaml:\d+:\d+: .*maxProceses/) },
  ]);
  expect((await daemon.client.getConfig()).error).toContain("maxProceses");

  changeConfig(scene.home, { maxProcesses: 6, maxProceses: undefined });
  await daemon.until((event) => event.type === "alert.resolved");
  await agentsAtWork(daemon, 6);
  expect(await running(daemon)).toEqual({ pid: daemon.pid, max: 6, running: 6, queued: 0 });
  expect((await daemon.client.listAlerts()).items).toEqual([]);
});

async function runsOf({ client }: TestDaemon) {
  return (await client.listRuns()).items;
}

/** The sessions that wrote to a branch, in their order. */
function sessionsOn(repository: string, branch: string | null): string[] {
  return git(repository, "show", `${branch}:sessions.txt`).split("\n");
}

async function running({ client }: TestDaemon) {
  const { pid, workers, counts } = await client.getDaemon();
  return { pid, ...workers, queued: counts.queued };
}

function changeConfig({ home }: TestHome, daemon: Record<string, unknown>): void {
  const file = join(home, "config.yaml");
  const config = parse(readFileSync(file, "utf8")) as { daemon: Record<string, unknown> };
  writeFileSync(file, stringify({ ...config, daemon: { ...config.daemon, ...daemon } }, { keepUndefined: false }));
}
