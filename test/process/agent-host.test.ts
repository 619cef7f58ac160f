import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ModelStep } from "../../src/demo/model-script.ts";
import { startModelServer, type ModelServer } from "../../src/demo/model-server.ts";
import type { HeldCommand } from "../../src/process/host.ts";
import { noLimits } from "../../src/process/limits.ts";
import { collect } from "../support/collect.ts";
import { openRealHost, type RealHostFixture } from "../support/host-fixture.ts";
import { KEY, launchOf } from "../support/hosted-folder.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { needs } from "../support/needs.ts";

const { signal } = new AbortController();
const SCRIPT: { scenarios: { when: string; steps: readonly ModelStep[] }[] } = {
  scenarios: [
    // Is answered when the test moves the model's clock.
    { when: "WAIT", steps: [{ text: "At last.", delayMs: 1000 }] },
    { when: "SLEEP", steps: [{ calls: [{ kind: "run", command: "cat /proc/self/cgroup >group.txt; exec sleep 1000000" }] }] },
  ],
};

let fixture: RealHostFixture;
let clock: ManualClock;
let model: ModelServer;
beforeEach(async () => {
  fixture = await openRealHost();
  clock = new ManualClock();
  model = await startModelServer({ script: SCRIPT, listen: { port: 0 }, clock });
});
afterEach(async () => {
  await model.close();
  await fixture[Symbol.asyncDispose]();
});

/** A run of our own agent that shares its program. */
async function runOf(marker: string, prompt: string): Promise<HeldCommand> {
  const { argv, env, stdin, shared, workspace } = await launchOf(join(fixture.folder, `of-${marker}`), model.address, prompt);
  const directory = join(fixture.folder, marker);
  return { directory, argv, cwd: workspace, env, files: {}, stdin, marker, shared, limits: noLimits };
}

const start = (commands: readonly HeldCommand[]) => Promise.all(commands.map((one) => fixture.host.start(one)));
const states = (commands: readonly HeldCommand[]) =>
  Promise.all(commands.map(async ({ directory }) => (await fixture.host.inspect(directory)).state));
const stop = ({ directory, marker }: HeldCommand) => fixture.host.stop(directory, { marker, graceMs: 60_000 });
const untilAsked = (times: number) => expect.poll(() => model.journal.length).toBe(times);

test("one program carries them all: one is stopped alone, one is swept, and with the program all that it carries are lost", async () => {
  const { host } = fixture;
  const all = await Promise.all(["stopped", "swept", "ends", "lost", "lost-too"].map((marker) => runOf(marker, "WAIT")));
  const [stopped, swept, ends, ...lost] = all as [HeldCommand, HeldCommand, HeldCommand, HeldCommand, HeldCommand];
  const identities = await start(all);
  const [pid = 0, ...others] = new Set(identities.map((one) => one.pid));
  expect(others).toEqual([]);
  expect(readFileSync(`/proc/${pid}/environ`, "utf8")).not.toContain(KEY);
  await untilAsked(5);
  expect(model.journal.map(({ headers }) => headers["x-api-key"])).toEqual(all.map(() => KEY));

  expect(await stop(stopped)).toEqual({ state: "exited", exitCode: null, signal: 15 });
  expect(await stop(stopped)).toEqual({ state: "exited", exitCode: null, signal: 15 });
  await expect(host.send(stopped.directory, "hello\n")).rejects.toMatchObject({ code: "conflict" });
  expect(await host.sweep((marker) => marker !== swept.marker)).toEqual([swept.marker]);
  expect(await host.waitForEnd(swept.directory, signal)).toEqual({ state: "exited", exitCode: null, signal: 15 });
  expect(await states([ends, ...lost])).toEqual(["running", "running", "running"]);
  await host.send(ends.directory, "no answer\n");

  const late = await runOf("late", "WAIT");
  process.kill(pid, "SIGKILL");
  const ended = await Promise.all([ends, ...lost].map(({ directory }) => host.waitForEnd(directory, signal)));
  expect(ended).toEqual([{ state: "lost" }, { state: "lost" }, { state: "lost" }]);
  expect(await stop(ends)).toEqual({ state: "lost" });
  const next = await host.start(late);
  expect(next.pid).not.toBe(pid);
  await untilAsked(6);
  clock.advance(1000);
  expect(await host.waitForEnd(late.directory, signal)).toEqual({ state: "exited", exitCode: 0, signal: null });
  const lines = await collect(host.readLines(late.directory, { from: 0, follow: true, signal }));
  expect(lines.map(({ text }) => (JSON.parse(text) as { type: string }).type)).toEqual([
    "session_started",
    "usage",
    "message",
    "turn_ended",
  ]);
});

describe.skipIf(!needs("cgroups").ok)("where the kernel limits", () => {
  test("what a run starts is in the run's control group and ends with it; its host is in another", async () => {
    const [one, other] = [await runOf("one", "SLEEP"), await runOf("other", "WAIT")];
    const [{ pid } = { pid: 0 }] = await start([one, other]);
    const seen = join(one.cwd, "group.txt");
    await expect.poll(() => existsSync(seen) && readFileSync(seen, "utf8")).toContain(`/${one.marker}\n`);
    expect(readFileSync(`/proc/${pid}/cgroup`, "utf8")).not.toContain(one.marker);
    expect((await fixture.host.measure()).runs.get(one.marker)).toMatchObject({ processes: 1 });
    expect(await stop(one)).toEqual({ state: "exited", exitCode: null, signal: 15 });
    expect((await fixture.host.measure()).runs.get(one.marker)).toBeUndefined();
    expect(await states([other])).toEqual(["running"]);
    await stop(other);
  });
});
