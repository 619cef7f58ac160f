import { readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Event } from "../../src/contract/event.ts";
import type { TaskDetail } from "../../src/contract/routes.ts";
import type { ModelStep } from "../../src/demo/model-script.ts";
import { startModelServer, type ModelServer } from "../../src/demo/model-server.ts";
import { TestHome, type TestDaemon } from "../support/daemon.ts";
import { expectNoProcesses } from "../support/leftovers.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { git, makeRepository } from "../support/repository.ts";

const LOOPS = 5;
const AT_ONCE = 4;
const numbers = Array.from({ length: LOOPS }, (_, index) => index + 1);

/** Each iteration writes a file, and the check is green when the third one is there. */
const WORKFLOW = `
name: three
stages:
  - name: build
    prompt: "ITERATION-{{iteration}} of {{> request}}"
    yields: commit
    loop: { iterations: 5 }
    checks: [{ name: third, command: test -e 3.txt }]
`;
const WORDS = "It is written.";
const write = (iteration: number, delayMs: number): readonly ModelStep[] => [
  { calls: [{ kind: "write", path: `${iteration}.txt`, content: `${iteration}\n` }], delayMs },
  { text: WORDS },
];
/** The third iteration waits until the test moves the model's clock. */
const SCRIPT = { scenarios: [1, 2, 3].map((one) => ({ when: `ITERATION-${one} `, steps: write(one, one === 3 ? 1000 : 0) })) };

test(
  "four of five loops share a program; daemon and program are killed in their third iteration, and every loop goes on there",
  { timeout: 600_000 },
  async () => {
    const clock = new ManualClock();
    await using model = await startModelServer({ script: SCRIPT, listen: { port: 0 }, clock });
    await using home = await openHome(model);
    const first = await home.start();
    await first.client.registerProject({
      body: { path: makeRepository(join(home.folder, "api"), { files: { "README.md": "api\n" } }).path },
    });
    await first.client.changeQueue({ body: { paused: true } });
    for (const number of numbers) await first.client.createTask({ body: { project: "api", title: `Loop ${number}`, workflow: "three" } });
    await first.client.changeQueue({ body: { paused: false } });

    await untilAsked(model, AT_ONCE);
    const host = await onlyHost(first);
    expect(readFileSync(`/proc/${host}/environ`, "utf8")).not.toContain("the-key");
    await first.kill();
    const second = await home.start();
    let adopted = 0;
    await second.until(({ type }) => type === "run.adopted" && (adopted += 1) === AT_ONCE);
    expect(await onlyHost(second)).toBe(host);

    process.kill(host, "SIGKILL");
    await untilAsked(model, 2 * AT_ONCE);
    expect(await onlyHost(second)).not.toBe(host);
    const going = setInterval(() => clock.advance(1000), 100);
    const tasks = await Promise.all(numbers.map((number) => second.settledTask(`api#${number}`)));
    clearInterval(going);

    expect(tasks.map(({ key, status, message }) => ({ key, status, message }))).toEqual(
      numbers.map((number) => ({ key: `api#${number}`, status: "succeeded", message: null })),
    );
    expect(tasks.map(waysOf)).toEqual(numbers.map((number) => (number <= AT_ONCE ? KILLED : WHOLE)));
    for (const { branch } of tasks) expect(filesOf(home, branch)).toEqual(["1.txt", "2.txt", "3.txt", "README.md"]);
    const events = await allEvents(second);
    expect(mostOpen(events)).toBe(AT_ONCE);
    expect(firstStarts(events, tasks)).toEqual(numbers);
    expect(await second.stop()).toBe(0);
    await expectNoProcesses(home);
    expect(hostsOf(home)).toHaveLength(1);
  },
);

/** What became of a loop, run by run. */
const WHOLE = [1, 2, 3].map((iteration) => ({ iteration, outcome: iteration === 3 ? "succeeded" : "check_failed", resumes: false }));
const KILLED = [
  ...WHOLE.slice(0, 2),
  { iteration: 3, outcome: "host_lost", resumes: false },
  { iteration: 3, outcome: "succeeded", resumes: true },
];

function waysOf({ runs }: TaskDetail) {
  const oldestFirst = runs.toSorted((one, other) => one.epoch - other.epoch);
  return oldestFirst.map(({ iteration, outcome, resumesSessionId }, index) => ({
    iteration,
    outcome: outcome?.status === "failed" ? outcome.reason : outcome?.status,
    resumes: resumesSessionId !== null && resumesSessionId === oldestFirst[index - 1]?.sessionId,
  }));
}

async function openHome(model: ModelServer): Promise<TestHome> {
  const home = await TestHome.make({
    agents: { mine: { driver: "builtin", model: "mock/small-1" } },
    providers: { mock: { kind: "anthropic", baseUrl: `${model.address}/v1`, keyVariable: "MOCK_MODEL_CODE" } },
    builtin: { maxRunning: AT_ONCE, firstChunkTimeoutMs: 600_000, callTimeoutMs: 600_000 },
    defaults: { agent: "mine", retryDelayMs: 0, delivery: "branch" },
    resources: { maxMemoryMB: 16_384, maxCpuPercent: 100 },
  });
  home.env["MOCK_MODEL_CODE"] = "the-key-of-the-provider";
  await mkdir(join(home.home, "workflows"));
  await writeFile(join(home.home, "workflows", "three.yaml"), WORKFLOW);
  return home;
}

/** Until the model was asked for so many third iterations. */
async function untilAsked({ journal }: ModelServer, count: number): Promise<void> {
  const asked = () => journal.filter(({ scenario, turn }) => scenario === "ITERATION-3 " && turn === 0).length;
  await expect.poll(asked, { timeout: 300_000, interval: 200 }).toBe(count);
}

/** The pid of the one process that carries all open runs. */
async function onlyHost({ client }: TestDaemon): Promise<number> {
  const { items } = await client.listRuns({ query: { open: true, limit: 100 } });
  expect(items).toHaveLength(AT_ONCE);
  const [pid, ...others] = new Set(items.map(({ process: of }) => of?.pid));
  expect(others).toEqual([]);
  return pid ?? 0;
}

async function allEvents(daemon: TestDaemon): Promise<Event[]> {
  const { sequence } = await daemon.client.getDaemon();
  return daemon.until((event) => event.sequence >= sequence);
}

function mostOpen(events: readonly Event[]): number {
  let [open, most] = [0, 0];
  for (const { type } of events) {
    if (type === "run.started") most = Math.max(most, (open += 1));
    if (type === "run.ended") open -= 1;
  }
  return most;
}

/** The numbers of the tasks in the order in which they were begun. */
function firstStarts(events: readonly Event[], tasks: readonly TaskDetail[]): (number | undefined)[] {
  const begun = new Set(events.flatMap(({ type, taskId }) => (type === "run.started" && taskId !== null ? [taskId] : [])));
  return [...begun].map((id) => tasks.find((task) => task.id === id)?.number);
}

function filesOf({ folder }: TestHome, branch: string | null): string[] {
  return git(join(folder, "api"), "ls-tree", "--name-only", branch ?? "")
    .split("\n")
    .filter((name) => name !== "" && name !== ".drover");
}

function hostsOf({ home }: TestHome): string[] {
  return readdirSync(join(home, "agent-hosts"));
}
