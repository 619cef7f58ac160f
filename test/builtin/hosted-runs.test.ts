import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { HostedRuns } from "../../src/builtin/hosted-runs.ts";
import type { HostOrder } from "../../src/contract/agent-host.ts";
import type { ModelStep } from "../../src/demo/model-script.ts";
import { startModelServer, type ModelServer } from "../../src/demo/model-server.ts";
import { heldFiles, readExit, refuseStart } from "../../src/process/held-folder.ts";
import { hostFiles } from "../../src/process/hosted-folder.ts";
import { createSystemTable } from "../../src/process/system-table.ts";
import { eventually, ownFolder } from "../support/builtin-work.ts";
import { readyFolder, saidIn } from "../support/hosted-folder.ts";
import { openRealHost } from "../support/host-fixture.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { needs } from "../support/needs.ts";

const IDLE_MS = 60_000;
const COMMAND = "echo $$ >pid.txt";
const SCRIPT: { scenarios: { when: string; steps: readonly ModelStep[] }[] } = {
  scenarios: [
    // Is answered when the test moves the model's clock.
    { when: "WAIT", steps: [{ text: "At last.", delayMs: 1000 }] },
    { when: "TALK", steps: [{ text: "Done." }] },
    { when: "RUN", steps: [{ calls: [{ kind: "run", command: COMMAND }] }, { text: "Done." }] },
  ],
};
const WHOLE = ["session_started", "usage", "message", "turn_ended"];

let folder: string;
let model: ModelServer;
let modelClock: ManualClock;
let clock: ManualClock;
let runs: HostedRuns;
beforeEach(async () => {
  folder = await ownFolder();
  modelClock = new ManualClock();
  clock = new ManualClock();
  model = await startModelServer({ script: SCRIPT, listen: { port: 0 }, clock: modelClock });
  onTestFinished(() => model.close());
  const table = createSystemTable(systemClock);
  const { startTime = "" } = (await table.find(process.pid)) ?? {};
  const identity = { bootId: await table.readBootId(), pid: process.pid, startTime };
  runs = new HostedRuns({ directory: folder, identity, clock, idleMs: IDLE_MS });
});

const obey = (order: HostOrder) => runs.obey(JSON.stringify(order));
const ready = (marker: string, prompt: string) => readyFolder(folder, marker, model.address, prompt);
async function begin(marker: string, prompt: string): Promise<string> {
  const directory = await ready(marker, prompt);
  obey({ type: "start", directory });
  return directory;
}
const carried = async () => (await readdir(hostFiles(folder).runs)).toSorted();
const untilAsked = (times: number) => eventually(() => model.journal.length).toBe(times);
const untilOver = (directory: string) => eventually(() => readExit(directory)).toBeDefined();
const isOver = () => Promise.race([runs.over().then(() => true), new Promise<false>((resolve) => setImmediate(() => resolve(false)))]);

test("of three that go on side by side one is ended, and the others come to their own ends", async () => {
  const [one, other, third] = [await begin("one", "WAIT"), await begin("other", "WAIT"), await begin("third", "WAIT")];
  await untilAsked(3);
  expect(await carried()).toEqual(["one", "other", "third"]);
  obey({ type: "end", directory: other });
  await untilOver(other);
  expect(await readExit(other)).toEqual({ exitCode: null, signal: 15 });
  expect(await saidIn(other)).toEqual(["session_started"]);
  obey({ type: "tell", directory: other, text: "too late\n" });
  expect(await carried()).toEqual(["one", "third"]);
  modelClock.advance(1000);
  for (const directory of [one, third]) {
    await untilOver(directory);
    expect(await readExit(directory)).toEqual({ exitCode: 0, signal: null });
    expect(await saidIn(directory)).toEqual(WHOLE);
  }
});

test("it ends when it has had no run for a while, and not before", async () => {
  clock.advance(IDLE_MS - 1);
  const directory = await begin("one", "WAIT");
  await untilAsked(1);
  clock.advance(10 * IDLE_MS);
  expect(await isOver()).toBe(false);
  modelClock.advance(1000);
  await eventually(carried).toEqual([]);
  expect(await readExit(directory)).toEqual({ exitCode: 0, signal: null });
  clock.advance(IDLE_MS - 1);
  expect(await isOver()).toBe(false);
  clock.advance(1);
  expect(await runs.over()).toMatchObject({ runs: 1, runsAtOnceMax: 1 });
  obey({ type: "start", directory: await ready("late", "TALK") });
  expect(await carried()).toEqual([]);
});

test("once it is to retire it begins nothing more, and ends with its last run", async () => {
  await begin("one", "WAIT");
  await untilAsked(1);
  obey({ type: "retire" });
  await begin("late", "TALK");
  expect(await carried()).toEqual(["one"]);
  expect(await isOver()).toBe(false);
  modelClock.advance(1000);
  expect(await runs.over()).toMatchObject({ runs: 1 });
});

test("what is no order, and a folder that is not as it must be, are nothing to the others", async () => {
  const refused = await ready("refused", "TALK");
  await refuseStart(refused);
  const unordered = await ready("unordered", "TALK");
  await writeFile(heldFiles(unordered).input, "no order\n");
  for (const line of ["", '{"type":"sta', '{"type":"dance"}']) runs.obey(line);
  for (const directory of [refused, join(folder, "nowhere"), unordered]) obey({ type: "start", directory });
  obey({ type: "tell", directory: refused, text: "hello\n" });
  const one = await begin("one", "TALK");
  await untilOver(one);
  expect(await readExit(one)).toEqual({ exitCode: 0, signal: null });
  expect(await readExit(unordered)).toEqual({ exitCode: 1, signal: null });
  expect(await saidIn(unordered)).toEqual(["turn_ended"]);
  expect(await readdir(refused)).not.toContain("exit");
  await eventually(carried).toEqual([]);
});

test("one that never got its order can be ended", async () => {
  const directory = await ready("one", "TALK");
  await rm(heldFiles(directory).input);
  obey({ type: "start", directory });
  expect(await carried()).toEqual(["one"]);
  obey({ type: "end", directory });
  await untilOver(directory);
  expect(await readExit(directory)).toEqual({ exitCode: null, signal: 15 });
});

test.skipIf(!needs("full-device").ok)("one whose output has no room on the disk has failed, and the others go on", async () => {
  const full = await ready("full", "TALK");
  await symlink("/dev/full", heldFiles(full).out);
  obey({ type: "start", directory: full });
  await untilOver(full);
  expect(await readExit(full)).toEqual({ exitCode: 1, signal: null });
  const one = await begin("one", "TALK");
  await untilOver(one);
  expect(await saidIn(one)).toEqual(WHOLE);
});

test("one whose end can't be written down is lost, though its host lives", async () => {
  await using fixture = await openRealHost();
  const directory = await ready("one", "WAIT");
  await mkdir(`${heldFiles(directory).exit}.tmp`);
  obey({ type: "start", directory });
  await untilAsked(1);
  expect(await fixture.host.inspect(directory)).toEqual({
    state: "running",
    identity: { bootId: expect.any(String), pid: process.pid, startTime: expect.any(String) },
  });
  modelClock.advance(1000);
  await eventually(carried).toEqual([]);
  expect(await fixture.host.inspect(directory)).toEqual({ state: "lost" });
});

test("commands join the control groups of their run, and one that can't is not started", async () => {
  const [group, gone] = [join(folder, "group"), join(folder, "gone")];
  await mkdir(group);
  const [limited, unlimited] = [await ready("limited", "RUN"), await ready("unlimited", "RUN")];
  await writeFile(heldFiles(limited).groups, `${group}\n`);
  await writeFile(heldFiles(unlimited).groups, `${gone}\n`);
  for (const directory of [limited, unlimited]) {
    obey({ type: "start", directory });
    await untilOver(directory);
  }
  const pid = await readFile(join(folder, "of-limited", "workspace", "pid.txt"), "utf8");
  expect(await readFile(join(group, "cgroup.procs"), "utf8")).toBe(pid);
  expect(await readdir(join(folder, "of-unlimited", "workspace"))).toEqual([]);
  expect(model.journal.at(-1)?.body).toContain("[Exit code 126.]");
});
