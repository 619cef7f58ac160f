import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test, vi } from "vitest";
import type { Event } from "../../src/contract/event.ts";
import type { TaskDetail } from "../../src/contract/routes.ts";
import type { TestDaemon } from "../support/daemon.ts";
import { GithubDouble } from "../support/github-double.ts";
import { GithubScene } from "../support/github-scene.ts";
import { expectNoProcesses, expectNoWorkspaces, refsOf, stateOfCheckout } from "../support/leftovers.ts";
import { needs } from "../support/needs.ts";
import { git } from "../support/repository.ts";

const program = (name: string) => fileURLToPath(new URL(`../programs/${name}`, import.meta.url));
const MORTAL = program("mortal-daemon.ts");
const CHECK = { name: "answer", command: "cat answer.txt" };

/** How often a step of the same name is tried: every time up to three times, else the first, the middle and the last one. */
const SAMPLES = 3;
/** How many of these there are depends on how fast the agent talks. */
const BATCHED = "commit of #writeAll/record";

/** What of the outside a task that goes well has to do with. */
const CALLS = [
  "copyFiles",
  "forge.mayStart",
  "forge.poll",
  "forge.putComment",
  "forge.putPullRequest",
  "host.readErrors",
  "host.readLines",
  "host.send",
  "host.start",
  "host.stop",
  "host.waitForEnd",
  "readKnowledge",
  "runCheck",
  "workspaces.checkpoint",
  "workspaces.collect",
  "workspaces.fetchBase",
  "workspaces.markBaseReady",
  "workspaces.move",
  "workspaces.open",
  "workspaces.openBase",
  "workspaces.push",
];

// Each case starts two or three daemons, one after the other.
vi.setConfig({ maxConcurrency: 2 });

const cache = await mkdtemp(join(tmpdir(), "drover-compiled-"));
afterAll(() => rm(cache, { recursive: true }));
const github = await GithubDouble.start();
afterAll(() => github[Symbol.asyncDispose]());
let scenes = 0;

const isAble = needs("git-http-backend").ok;
const everyStep = isAble ? await recordSteps([]) : [];

describe.skipIf(!isAble)(`a task of ${everyStep.length} steps, its daemon killed at one of them, is done once`, () => {
  test("and goes past all that a daemon does outside", () => {
    expect(namesIn(everyStep).filter((name) => !isCommit(name))).toEqual(CALLS);
    expect(namesIn(everyStep).filter(isCommit).length).toBeGreaterThan(10);
  });

  test.concurrent.each(sample(everyStep))("%s", (_, step) => expectDoneOnceDespite([step]));
});

/** Three places to die at that leave different things behind: a workspace without an agent, a live agent, a pushed branch. */
const places = ["workspaces.open:after#1", "host.start:after#1", "workspaces.push:after#1"];
const recoveries = isAble
  ? await Promise.all(places.map(async (place) => [place, untilReconciled(await recordSteps([place]))] as const))
  : [];

describe.each(recoveries)("the daemon that goes on after a death at %s, killed too", (place, steps) => {
  test.concurrent.each(sample(steps))("%s", (_, step) => expectDoneOnceDespite([place, step]));
});

async function expectDoneOnceDespite(deaths: readonly string[]): Promise<void> {
  await using scene = await openScene();
  const before = stateOfCheckout(scene.checkout);
  for (const [index, death] of deaths.entries()) {
    const { steps, isDead } = await live(scene, index, death);
    expect(isDead || death.startsWith(BATCHED), `${death} of ${steps.join(", ")}`).toBe(true);
  }
  // A quick tick soon finds what is left over.
  scene.home.env["DROVER_DAEMON_TICKMS"] = "100";
  const daemon = await scene.home.start();
  const task = await daemon.settledTask("api#1");
  await expectDoneOnce(scene, daemon, task);
  await expectNothingLeft(scene, daemon, task);
  expect(stateOfCheckout(scene.checkout)).toEqual(before);
}

/** The steps of a daemon after those that died before it, until all is done. */
async function recordSteps(deaths: readonly string[]): Promise<string[]> {
  await using scene = await openScene();
  for (const [index, death] of deaths.entries()) await live(scene, index, death);
  return (await live(scene, deaths.length, undefined)).steps;
}

/** Runs a daemon until it dies at `death`, or all is done. The first one gets the work to do, and counts its steps from there. */
async function live(scene: GithubScene, index: number, death: string | undefined): Promise<{ steps: string[]; isDead: boolean }> {
  const file = join(scene.home.folder, `steps-${index}`);
  if (index > 0) writeFileSync(file, "");
  const gone = new AbortController();
  try {
    const daemon = await scene.home.start(MORTAL, death === undefined ? [file] : [file, death]);
    void daemon.exited.then(() => gone.abort(new Error("The daemon is dead.")));
    if (index === 0) await giveWork(scene, daemon, file);
    await daemon.settledTask("api#1", gone.signal);
    await rename(file, `${file}-done`);
    await daemon.stop();
    return { steps: readLines(`${file}-done`), isDead: false };
  } catch (thrown) {
    const steps = readLines(file);
    if (death === undefined || addressOf(steps) !== death) throw thrown;
    return { steps, isDead: true };
  }
}

async function giveWork(scene: GithubScene, daemon: TestDaemon, file: string): Promise<void> {
  await scene.register(daemon);
  writeFileSync(file, "");
  scene.repository.openIssue({ title: "Answer", body: "Write answer.txt.", labels: ["Claude"] });
  await scene.poll(daemon);
}

async function expectDoneOnce({ repository, home }: GithubScene, { client }: TestDaemon, task: TaskDetail): Promise<void> {
  const { items: tasks } = await client.listTasks();
  const { items: events } = await client.listEvents({ query: { task: task.id, limit: 500 } });
  const proof = task.runs.flatMap(({ outcome }) => (outcome?.status === "succeeded" ? [outcome.proof] : []));
  const [pull, ...otherPulls] = repository.pulls();
  const comments = repository.issue(1).comments.map(({ body }) => body.split("\n")[1]);
  expect({ tasks: tasks.map(({ key }) => key), status: task.status, attempt: task.attempt, otherPulls }).toEqual({
    tasks: ["api#1"],
    status: "succeeded",
    attempt: 1,
    otherPulls: [],
  });
  expect(endings(events)).toEqual(["run succeeded", "task succeeded"]);
  expect(readFileSync(join(home.folder, "notes"), "utf8").split("\n").filter(Boolean)).toHaveLength(1);
  expect(comments).toEqual([expect.stringMatching(/^\*\*Done\*\*/)]);
  expect(task.effects.map(({ status }) => status)).not.toContain("failed");

  const branch = task.branch ?? "";
  const head = git(repository.path, "rev-parse", branch);
  expect(proof.map(({ headCommit, checks }) => [headCommit, ...checks.map((check) => check.head.outputTail)])).toEqual([
    [head, "forty-two"],
  ]);
  expect(git(repository.path, "show", `${head}:answer.txt`)).toBe("forty-two");
  expect(pull).toMatchObject({ pull: { head: branch, base: "main" }, body: expect.stringContaining(head) });
  expect(task.pullRequest?.number).toBe(pull?.number);
  expect(await client.verifyStore()).toMatchObject({ ok: true, problems: [] });
}

/** How runs and the task ended, but for runs that the crash cut short. */
function endings(events: readonly Event[]): string[] {
  return events.flatMap((event) => {
    if (event.type === "run.ended" && event.data.outcome.status !== "cancelled") return [`run ${event.data.outcome.status}`];
    if (event.type === "task.status_changed" && !["queued", "running"].includes(event.data.to)) return [`task ${event.data.to}`];
    return [];
  });
}

async function expectNothingLeft({ repository, home }: GithubScene, daemon: TestDaemon, task: TaskDetail): Promise<void> {
  await expectNoWorkspaces(home);
  expect(await daemon.stop()).toBe(0);
  await expectNoProcesses(home);

  const [own = ""] = readdirSync(join(home.home, "repositories"));
  const ofTask = `refs/drover/tasks/${task.id}`;
  const documented = new RegExp(
    `^(refs/drover/base|refs/drover/push(ed|ing)/${task.branch}|${ofTask}/(base|head|checkpoints/[12]|agent/[0-9a-f]+))$`,
  );
  expect(refsOf(join(home.home, "repositories", own)).filter((ref) => !documented.test(ref))).toEqual([]);
  expect(readdirSync(join(home.home, "repositories", own, "scratch"))).toEqual([]);
  expect(refsOf(repository.path)).toEqual([`refs/heads/${task.branch}`, "refs/heads/main"]);
}

async function openScene(): Promise<GithubScene> {
  scenes += 1;
  const agents = { adds: { driver: "command", command: ["sh", program("adds-a-line.sh")], env: ["NOTES"] } };
  const config = { daemon: { tickMs: 60_000 }, agents, defaults: { agent: "adds" }, checks: [CHECK] };
  const scene = await GithubScene.open({ github, fullName: `acme/api-${scenes}`, config });
  Object.assign(scene.home.env, { NOTES: join(scene.home.folder, "notes"), NODE_COMPILE_CACHE: cache });
  return scene;
}

/** `host.start` of its steps before and after. */
function namesIn(steps: readonly string[]): string[] {
  return [...new Set(steps.map((step) => step.split(":")[0] ?? ""))].toSorted();
}

function isCommit(name: string): boolean {
  return name.startsWith("commit of ");
}

/** What a daemon does at its start, before it takes up or gives out any work: the last of it ends what nobody wants any more. */
function untilReconciled(steps: readonly string[]): string[] {
  return steps.slice(0, steps.indexOf("host.sweep:after") + 1);
}

/** The last of the steps as what names one: `host.stop:after#2`. */
function addressOf(steps: readonly string[]): string {
  const last = steps.at(-1) ?? "";
  return `${last}#${steps.filter((step) => step === last).length}`;
}

function readLines(file: string): string[] {
  return readFileSync(file, "utf8").split("\n").filter(Boolean);
}

interface Moment {
  /** The step to die at: `host.stop:after#2`. */
  readonly address: string;
  /** Steps that follow with nothing of the outside in between: to die at them is the same. */
  readonly same: string[];
}

function momentsOf(steps: readonly string[]): Moment[] {
  const moments: Moment[] = [];
  for (const [index, step] of steps.entries()) {
    const isSame = !step.endsWith(":after") && index > 0 && !steps[index - 1]?.endsWith(":before");
    if (isSame) moments.at(-1)?.same.push(step);
    else moments.push({ address: addressOf(steps.slice(0, index + 1)), same: [] });
  }
  return moments;
}

/** Title and address of each moment to die at. */
function sample(steps: readonly string[]): [title: string, address: string][] {
  const byName = Map.groupBy(momentsOf(steps), ({ address }) => address.replace(/#\d+$/, ""));
  return [...byName.values()].flatMap((moments) => {
    const isSampled = moments.length > SAMPLES;
    const wanted = isSampled ? [moments[0], moments[Math.floor(moments.length / 2)], moments.at(-1)] : moments;
    const note = isSampled ? ` (3 of ${moments.length} such)` : "";
    return wanted.flatMap((moment): [string, string][] =>
      moment ? [[[moment.address, ...moment.same].join(" = ") + note, moment.address]] : [],
    );
  });
}
