import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as elapse } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { processesIn } from "../../src/process/cgroup-files.ts";
import { createSystemTable } from "../../src/process/system-table.ts";
import type { HeldCommand } from "../../src/process/host.ts";
import { noLimits, type RunLimits } from "../../src/process/limits.ts";
import { openRealHost, type RealHostFixture } from "../support/host-fixture.ts";
import { needs } from "../support/needs.ts";
import { killedDaemon } from "../support/killed-daemon.ts";

const { signal } = new AbortController();
const MEGABYTE = 2 ** 20;
const table = createSystemTable(systemClock);

let fixture: RealHostFixture;
beforeEach(async () => {
  fixture = await openRealHost();
});
afterEach(() => fixture[Symbol.asyncDispose]());

/** Started, and past its first line. */
async function start(program: string, limits: Partial<RunLimits>, ...args: string[]): Promise<HeldCommand> {
  const command = { ...fixture.command(program, ...args), limits: { ...noLimits, ...limits } };
  await fixture.host.start(command);
  await line(command.directory, "ready");
  return command;
}

async function line(directory: string, text: string): Promise<void> {
  for await (const one of fixture.host.readLines(directory, { from: 0, follow: true, signal })) if (one.text === text) return;
  throw new Error(`It ended without saying "${text}".`);
}

const stop = ({ directory, marker }: Pick<HeldCommand, "directory" | "marker">) => fixture.host.stop(directory, { marker, graceMs: 0 });

const groupOf = ({ directory }: Pick<HeldCommand, "directory">) => readFileSync(join(directory, "groups"), "utf8").trim().split("\n");

/** What the kernel has counted under a name in a file of a command's group. */
function count(command: HeldCommand, file: string, name: string): number {
  const path = groupOf(command)
    .map((folder) => join(folder, file))
    .find((one) => existsSync(one));
  return Number(new RegExp(`^${name} (\\d+)`, "mu").exec(path === undefined ? "" : readFileSync(path, "utf8"))?.[1]);
}

/** Processors that these keep busy between now and two seconds later. */
async function processorsOf(commands: readonly HeldCommand[]): Promise<number> {
  const groups = commands.flatMap(groupOf);
  const cpuMs = async () => {
    const members = processesIn(groups);
    return (await table.list()).filter(({ pid }) => members.has(pid)).reduce((sum, entry) => sum + entry.cpuMs, 0);
  };
  const [startedAt, before] = [performance.now(), await cpuMs()];
  await elapse(2000);
  return ((await cpuMs()) - before) / (performance.now() - startedAt);
}

describe.skipIf(!needs("cgroups").ok)("where the kernel limits", () => {
  test("what takes more memory than it may is ended, says why, and what runs beside it lives", async () => {
    const beside = await start("allocates.ts", { memoryBytes: 200 * MEGABYTE });
    const greedy = await start("allocates.ts", { memoryBytes: 200 * MEGABYTE });
    await fixture.host.send(greedy.directory, "go\n");
    expect(await fixture.host.waitForEnd(greedy.directory, signal)).toEqual({
      state: "exited",
      exitCode: null,
      signal: 9,
      outOfMemory: true,
    });
    expect((await fixture.host.inspect(beside.directory)).state).toBe("running");
    expect((await fixture.host.measure()).runs.get(beside.marker)).toMatchObject({ outOfMemory: false, processes: 1 });
    expect(await stop(greedy)).toEqual({ state: "exited", exitCode: null, signal: 9, outOfMemory: true });
    expect(groupOf(greedy).filter((folder) => existsSync(folder))).toEqual([]);
    expect(groupOf(beside).filter((folder) => !existsSync(folder))).toEqual([]);
    expect(await stop(beside)).toEqual({ state: "exited", exitCode: null, signal: expect.toBeOneOf([9, 15]) });
  });

  test("when only a child is ended for want of memory, a look at what runs tells", async () => {
    const command = await start("allocates.ts", { memoryBytes: 200 * MEGABYTE }, "child");
    await fixture.host.send(command.directory, "go\n");
    const seen = async () => (await fixture.host.measure()).runs.get(command.marker)?.outOfMemory;
    await expect.poll(seen, { timeout: 30_000 }).toBe(true);
    await stop(command);
  });

  test("together they may take no more than all may, whatever each one may", async () => {
    await fixture.host.limitAll({ ...noLimits, memoryBytes: 300 * MEGABYTE });
    const greedy = await start("allocates.ts", {});
    await fixture.host.send(greedy.directory, "go\n");
    expect(await fixture.host.waitForEnd(greedy.directory, signal)).toMatchObject({ state: "exited", outOfMemory: true });
    await stop(greedy);
  });

  test("what forks and forks comes to an end, and so do those who left group, session and environment", async () => {
    const bomb = await start("forks.sh", { processes: 60 });
    await expect.poll(() => count(bomb, "pids.events", "max"), { timeout: 30_000 }).toBeGreaterThan(0);
    const members = () => processesIn(groupOf(bomb)).size;
    expect(members()).toBeLessThanOrEqual(60);
    const other = await start("waits.sh", {});
    const askedAt = performance.now();
    await stop(bomb);
    expect(performance.now() - askedAt).toBeLessThan(5000);
    expect(members()).toBe(0);
    await stop(other);
  });

  test("a processor is given in shares, to each and to all", async () => {
    const spinning = [await start("spins.sh", { cpus: 0.3 }), await start("spins.sh", { cpus: 0.3 })];
    expect(await processorsOf(spinning.slice(0, 1))).toBeLessThan(0.36);
    await fixture.host.limitAll({ ...noLimits, cpus: 0.2 });
    expect(await processorsOf(spinning)).toBeLessThan(0.26);
    await fixture.host.limitAll(noLimits);
    await Promise.all(spinning.map(({ directory }) => fixture.host.limit(directory, noLimits)));
    const throttled = () => spinning.map((command) => count(command, "cpu.stat", "nr_throttled"));
    const before = throttled();
    expect(Math.min(...before)).toBeGreaterThan(0);
    expect(await processorsOf(spinning)).toBeGreaterThan(0);
    expect(throttled()).toEqual(before);
    await Promise.all(spinning.map(stop));
  });

  test("limits that are changed while it runs hold at once", async () => {
    const command = await start("allocates.ts", { memoryBytes: 1000 * MEGABYTE });
    await fixture.host.limit(command.directory, { memoryBytes: 150 * MEGABYTE, cpus: 1, processes: 100 });
    await fixture.host.send(command.directory, "go\n");
    expect(await fixture.host.waitForEnd(command.directory, signal)).toMatchObject({ state: "exited", outOfMemory: true });
    await stop(command);
  });

  test("a limit outlives the daemon that set it, and the next daemon can change it", async () => {
    const limits = { ...noLimits, memoryBytes: 200 * MEGABYTE };
    const { directory } = await killedDaemon(fixture.folder, "run_1", "allocates.ts", limits);
    await line(directory, "ready");
    await fixture.host.limit(directory, { ...limits, processes: 200 });
    await fixture.host.send(directory, "go\n");
    expect(await fixture.host.waitForEnd(directory, signal)).toMatchObject({ state: "exited", outOfMemory: true });
    await stop({ directory, marker: "run_1" });
    expect(groupOf({ directory }).filter((folder) => existsSync(folder))).toEqual([]);
  });

  test("a sweep ends what is left in a group, and removes it", async () => {
    const bomb = await start("forks.sh", { processes: 60 });
    await expect.poll(() => count(bomb, "pids.events", "max"), { timeout: 30_000 }).toBeGreaterThan(0);
    expect(await fixture.host.sweep(() => false)).toEqual([bomb.marker]);
    expect(groupOf(bomb).filter((folder) => existsSync(folder))).toEqual([]);
  });
});

describe("where nobody limits", () => {
  /** A folder in which the kernel tells of no control groups. */
  beforeEach(async () => {
    await fixture[Symbol.asyncDispose]();
    fixture = await openRealHost({ proc: "/nowhere" });
  });

  test("what each one takes is seen, so that it can be ended", async () => {
    const [small, big] = [await start("allocates.ts", { memoryBytes: 1 }), await start("allocates.ts", { memoryBytes: 1 })];
    expect(existsSync(join(big.directory, "groups"))).toBe(false);
    await fixture.host.send(big.directory, "go\n");
    const use = async () => (await fixture.host.measure()).runs.get(big.marker)?.memoryBytes ?? 0;
    await expect.poll(use, { timeout: 30_000 }).toBeGreaterThan(300 * MEGABYTE);
    const { isLimited, runs } = await fixture.host.measure();
    expect(isLimited).toBe(false);
    expect(runs.get(small.marker)?.memoryBytes).toBeLessThan(150 * MEGABYTE);
    expect(runs.get(small.marker)).toMatchObject({ processes: 1, outOfMemory: false });
    await fixture.host.limitAll({ ...noLimits, memoryBytes: 1 });
    await fixture.host.limit(small.directory, { ...noLimits, memoryBytes: 1 });
    expect(await stop(big)).toEqual({ state: "exited", exitCode: null, signal: expect.toBeOneOf([9, 15]) });
    expect((await fixture.host.inspect(small.directory)).state).toBe("running");
    await stop(small);
  });
});
