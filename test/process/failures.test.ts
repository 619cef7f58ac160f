import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { AppError } from "../../src/base/errors.ts";
import { silentLog } from "../../src/base/log.ts";
import type { HeldCommand } from "../../src/process/host.ts";
import type { ProcessTable } from "../../src/process/process-table.ts";
import { createProcessHost, type RealHostOptions } from "../../src/process/real-host.ts";
import { createSystemTable } from "../../src/process/system-table.ts";
import { collect } from "../support/collect.ts";
import { openRealHost, type RealHostFixture } from "../support/host-fixture.ts";
import { PATH } from "../support/held-command.ts";

const { signal } = new AbortController();
const table = createSystemTable(systemClock);

let fixture: RealHostFixture;
const open = async (options: Partial<RealHostOptions> = {}) => (fixture = await openRealHost(options));
let tools: string;
beforeEach(async () => {
  tools = await mkdtemp(join(tmpdir(), "drover-tools-"));
});
afterEach(async () => {
  await rm(tools, { recursive: true });
  await fixture[Symbol.asyncDispose]();
});

/** Puts what a holder needs into `tools`, but for setsid. */
async function linkTools(...more: string[]): Promise<void> {
  for (const tool of ["cat", "ln", "mkfifo", "mv", "rm", ...more]) await symlink(`/usr/bin/${tool}`, join(tools, tool));
}

/** The pids of the spawners that this process has. */
async function spawners(): Promise<number[]> {
  const children = (await table.list()).filter(({ parent }) => parent === process.pid);
  const lines = await Promise.all(children.map(async ({ pid }) => ({ pid, line: await readFile(`/proc/${pid}/cmdline`, "utf8") })));
  return lines.filter(({ line }) => line.includes("spawner.sh")).map(({ pid }) => pid);
}

/** The system's clock, so many times as fast. */
function hurried(speed: () => number): Clock {
  return {
    ...systemClock,
    elapsed: () => systemClock.elapsed() * speed(),
    setTimer: (ms, run) => systemClock.setTimer(ms / speed(), run),
  };
}

interface Identity {
  readonly bootId: string;
  readonly pid: number;
  readonly startTime: string;
  readonly holder: { readonly pid: number; readonly startTime: string };
}
const identityOf = async ({ directory }: HeldCommand) => JSON.parse(await readFile(join(directory, "identity"), "utf8")) as Identity;

test("when the spawner is killed, what it was asked for is started all the same, and what comes later too", async () => {
  const { host, command } = await open();
  const first = command("prints.sh", "0");
  await host.start(first);
  const [killed = 0, ...more] = await spawners();
  expect(more).toEqual([]);
  const asked = Array.from({ length: 5 }, () => command("prints.sh", "0"));
  const started = asked.map((one) => host.start(one));
  process.kill(killed, "SIGKILL");
  await Promise.all(started);
  const last = command("prints.sh", "0");
  await host.start(last);
  for (const { directory } of [first, ...asked, last]) {
    expect(await host.waitForEnd(directory, signal)).toEqual({ state: "exited", exitCode: 0, signal: null });
    const lines = await collect(host.readLines(directory, { from: 0, follow: false, signal }));
    expect(lines).toHaveLength(4); // printed once
  }
  expect(await spawners()).not.toContain(killed);
});

test("closing ends the spawner alone, and starts nothing any more", async () => {
  const { host, command } = await open();
  const running = command("echoes-stdin.sh");
  await host.start(running);
  await host.close();
  await host.close();
  expect(await spawners()).toEqual([]);
  await expect(host.start(command("waits.sh"))).rejects.toMatchObject({ code: "unavailable" });
  await host.send(running.directory, "bye\n");
  expect(await host.waitForEnd(running.directory, signal)).toEqual({ state: "exited", exitCode: 0, signal: null });
});

test("fifty start at once, each with its own output and status", async () => {
  const { host, command } = await open();
  const commands = Array.from({ length: 50 }, (_, index) => command("prints.sh", String(index)));
  const identities = await Promise.all(commands.map((one) => host.start(one)));
  expect(new Set(identities.map(({ pid }) => pid)).size).toBe(50);
  const ends = await Promise.all(commands.map(({ directory }) => host.waitForEnd(directory, signal)));
  expect(ends).toEqual(commands.map((_, index) => ({ state: "exited", exitCode: index, signal: null })));
});

test("without setsid, as on macOS, perl does its work", async () => {
  await linkTools("perl");
  const { host, command } = await open({ path: tools });
  const stubborn = command("ignores-sigterm.sh");
  const identity = await host.start(stubborn);
  expect(await table.find(identity.pid)).toMatchObject({ pid: identity.pid, group: identity.pid });
  for await (const { text } of host.readLines(stubborn.directory, { from: 0, follow: true, signal })) if (text === "ready") break;
  expect(await host.stop(stubborn.directory, { marker: stubborn.marker, graceMs: 0 })).toEqual({
    state: "exited",
    exitCode: null,
    signal: 9,
  });
});

test("with neither setsid nor perl a start fails and says what is missing", async () => {
  await linkTools();
  const { host, command } = await open({ path: tools });
  const never = command("waits.sh");
  await expect(host.start(never)).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining("setsid") });
  expect(await host.inspect(never.directory)).toEqual({ state: "absent" });
  await expect(access(join(never.directory, "command"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("what a command does not read, or can't any more, is a failure of the sending", async () => {
  let speed = 1;
  const { host, command } = await open({ clock: hurried(() => speed) });
  const [deaf, closed] = [command("waits.sh"), { ...command("waits.sh"), argv: ["/bin/sh", "-c", "exec sleep 1000000 0<&-"] as const }];
  await host.start(deaf);
  await host.start(closed);
  await expect.poll(() => host.send(closed.directory, "hello\n").catch((failure: AppError) => failure.code)).toBe("conflict");
  // A pipe takes 64 KB of what nobody reads.
  await host.send(deaf.directory, "hello\n");
  speed = 100;
  await expect(host.send(deaf.directory, "x".repeat(100_000))).rejects.toMatchObject({ code: "timeout" });
  speed = 1;
  for (const { directory, marker } of [deaf, closed]) await host.stop(directory, { marker, graceMs: 60_000 });
});

test("where a part of a file can't be freed, the output is whole and takes its room", async () => {
  await linkTools("perl");
  const notices: string[] = [];
  const log = { ...silentLog, info: (message: string) => notices.push(message) };
  const { host, command } = await open({ path: tools, outputMaxBytes: 2 ** 20, log });
  const held = command("floods-stdout.sh", "5");
  await host.start(held);
  const lines = await collect(host.readLines(held.directory, { from: 0, follow: true, signal }));
  expect(lines).toHaveLength(5 * 1024);
  expect(await collect(host.readLines(held.directory, { from: 0, follow: false, signal }))).toEqual(lines);
  expect(notices).toEqual(["The output of a command is not limited on disk."]);
});

test("once the holder was killed, the command goes on; when it ends, it is lost", async () => {
  let speed = 1;
  const { host, command } = await open({ clock: hurried(() => speed) });
  const held = command("echoes-stdin.sh");
  const identity = await host.start(held);
  // A killed holder tells nobody: only the look every few seconds finds out.
  speed = 100;
  process.kill((await identityOf(held)).holder.pid, "SIGKILL");
  expect(await host.inspect(held.directory)).toEqual({ state: "running", identity });
  await host.send(held.directory, "still here\nbye\n");
  expect(await host.waitForEnd(held.directory, signal)).toEqual({ state: "lost" });
  const lines = await collect(host.readLines(held.directory, { from: 0, follow: true, signal }));
  expect(lines.map(({ text }) => text)).toEqual(["got still here", "got bye"]);
});

test.each([
  { other: "start time", change: { startTime: "1" } },
  { other: "start of the machine", change: { bootId: "another" } },
])("a process with our pid but another $other is somebody else's: ours is lost, and the other never signalled", async ({ change }) => {
  const { host, command } = await open();
  const stranger = spawn("/bin/sleep", ["1000000"], { detached: true });
  const { startTime = "" } = (await table.find(stranger.pid ?? 0)) ?? {};
  const held = command("waits.sh");
  await mkdir(held.directory);
  const real = { bootId: await table.readBootId(), pid: stranger.pid ?? 0, startTime, holder: { pid: 2 ** 22, startTime: "1" } };
  await writeFile(join(held.directory, "identity"), JSON.stringify({ ...real, ...change }));
  expect(await host.inspect(held.directory)).toEqual({ state: "lost" });
  expect(await host.stop(held.directory, { marker: held.marker, graceMs: 0 })).toEqual({ state: "lost" });
  expect(await host.waitForEnd(held.directory, signal)).toEqual({ state: "lost" });
  // Had it been signalled, it would be gone or a zombie by now.
  expect(await table.find(stranger.pid ?? 0)).toMatchObject({ startTime });
  stranger.kill("SIGKILL");
  await once(stranger, "exit");
});

test("when the processes can't be listed nothing is concluded and nothing is ended", async () => {
  const { host, command, folder } = await open();
  const held = command("waits.sh");
  const identity = await host.start(held);
  const blind = () => Promise.reject(new AppError("unavailable", "no table today"));
  const blindTable: ProcessTable = { ...table, find: blind, list: blind, measureMemory: blind };
  const own = { scope: folder, agentHosts: join(folder, "agent-hosts"), path: PATH, outputMaxBytes: 1 };
  const options = { clock: systemClock, log: silentLog, ...own };
  const other = createProcessHost({ ...options, table: blindTable });
  const unknown = { state: "unknown", message: "no table today" };
  expect(await other.inspect(held.directory)).toEqual(unknown);
  expect(await other.settle(held.directory)).toEqual(unknown);
  expect(await other.stop(held.directory, { marker: held.marker, graceMs: 0 })).toEqual(unknown);
  await expect(other.sweep(() => false)).rejects.toMatchObject({ code: "unavailable" });
  await expect(other.measure()).rejects.toMatchObject({ code: "unavailable" });
  expect(await host.inspect(held.directory)).toEqual({ state: "running", identity });
  await host.stop(held.directory, { marker: held.marker, graceMs: 60_000 });
});

test("an identity that the machine's crash has damaged belongs to a lost command", async () => {
  const { host, command } = await open();
  const held = command("waits.sh");
  await mkdir(held.directory);
  await writeFile(join(held.directory, "identity"), "\0\0\0\0");
  expect(await host.settle(held.directory)).toEqual({ state: "lost" });
});

test("another daemon's processes are neither swept nor measured", async () => {
  const { host, command } = await open();
  const held = command("waits.sh");
  await host.start(held);
  for await (const { text } of host.readLines(held.directory, { from: 0, follow: true, signal })) if (text === "ready") break;
  const other = await openRealHost();
  expect(await other.host.sweep(() => false)).toEqual([]);
  expect(await other.host.measure()).toMatchObject({ memoryBytes: 0, cpuPercent: 0, runs: new Map() });
  await other[Symbol.asyncDispose]();
  expect((await host.measure()).memoryBytes).toBeGreaterThan(0);
  await host.stop(held.directory, { marker: held.marker, graceMs: 60_000 });
});

test("a daemon that an agent started anew does not sweep itself away", async () => {
  const { host, command, folder } = await open();
  const held = command("sweeps-all.ts", folder);
  await host.start(held);
  const [line] = await collect(host.readLines(held.directory, { from: 0, follow: true, signal }));
  expect(line?.text).toBe("[]");
  expect(await host.waitForEnd(held.directory, signal)).toEqual({ state: "exited", exitCode: 0, signal: null });
});

test("a folder that can't be made is a failure to act on", async () => {
  const { host, command, folder } = await open();
  await writeFile(join(folder, "file"), "");
  const start = host.start({ ...command("waits.sh"), directory: join(folder, "file", "run") });
  await expect(start).rejects.toMatchObject({ code: "unavailable", message: expect.stringContaining("Cannot prepare") });
});
