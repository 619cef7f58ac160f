import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, open, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Launch, LaunchRequest } from "../src/agents/driver.ts";
import type { Run, RunStateName } from "../src/contract/run.ts";
import { listHookEvents } from "../src/store/hook-events.ts";
import { openRuns, getRun } from "../src/store/runs.ts";
import { createBench, realClaude } from "../test/support/agent-bench.ts";
import { makeRepository } from "../test/support/repository.ts";
import type { Benchmark, Figure } from "./benchmark.ts";
import { untilQuiet } from "./machine.ts";
import { openHome, until, type Home } from "./parts/home.ts";
import { timeProcess } from "./parts/program.ts";
import { median, percentile, rounds, type Values } from "./statistics.ts";

const OBEYS = join(import.meta.dirname, "../test/programs/obeys.sh");
/** Of an hour's 20,000, in a time that is this much shorter. */
const FASTER = 60;
const AN_HOUR = 20_000;
const READ_EVERY_MS = 20;
/** A run without any sign of work for so long is ended; after half of it, it counts as stuck. */
const SILENCE_MS = 4000;

/** What hooks cost the agent and the daemon, and how soon a state is known. */
export const benchmark: Benchmark = async ({ rounds: count, quick }) => [
  ...(await costToAgent(count, quick ? 15 : 40)),
  ...(await costToDaemon(count, quick ? 5 : 20)),
  ...(await delays(count)),
];

/**
 * The real Claude Code: from one request to its model to the next, between which it calls a tool. Without hooks, with the spool as
 * Drover has it, and with hooks that are posted to a bare server, which is the least that posting could cost.
 */
async function costToAgent(count: number, calls: number): Promise<Figure[]> {
  const steps = [...Array.from({ length: calls }, () => ({ calls: [{ kind: "run" as const, command: "true" }] })), { text: "Done." }];
  let way: Way = "none";
  let url = "";
  const launch = (request: LaunchRequest) => withHooks(realClaude.driver.launch(request), way, url);
  const subject = { ...realClaude, driver: { ...realClaude.driver, launch } };
  await using bench = await createBench(subject, { scenarios: [{ when: "TASK:", steps }] });
  await using receiver = await openReceiver(bench.request({ prompt: "" }).agent.command.slice(0, -1));
  ({ url } = receiver);
  const spool = join(bench.folder, "spool");
  const program = join(bench.folder, "config", "hooks", "drover-hook");
  const once = async (by: Way) => {
    way = by;
    await untilQuiet({ withinMs: 20_000 });
    const before = bench.model.journal.at(-1);
    await (await bench.start({ prompt: "TASK: go", reportsHooks: true })).conclude();
    const turns = bench.model.journal
      .slice(before ? bench.model.journal.indexOf(before) + 1 : 0)
      .filter(({ scenario }) => scenario === "TASK:");
    // The first ones warm up.
    const took = turns.slice(4).map(({ at }, index) => at - (turns[index + 3]?.at ?? at));
    return { p50: median(took), p95: percentile(took, 0.95) };
  };
  const measured = await rounds(count, async () => {
    const none = await once("none");
    const spooled = await once("spool");
    const http = await once("http");
    const spawns = await timesOf(() => timeProcess("sh", [program, spool]));
    const floor = await timesOf(() => timeProcess("sh", ["-c", "exec cat >/dev/null"]));
    const over = (by: "p50" | "p95", to: typeof none) => Math.max(0, to[by] - none[by]);
    return {
      none: none.p50,
      none95: none.p95,
      spool: spooled.p50,
      spool95: spooled.p95,
      http: http.p50,
      http95: http.p95,
      cost: over("p50", spooled),
      posted: over("p50", http),
      spawns,
      floor,
    };
  });
  const turn = (name: string, ours: Values, bare: Values): Figure => ({
    name: `a turn of Claude Code with one tool call, ${name}`,
    unit: "ms",
    ours,
    limit: { name: "without hooks", value: bare },
    goal: null,
  });
  return [
    turn("hooks by the spool, p50", measured.spool, measured.none),
    turn("hooks by the spool, p95", measured.spool95, measured.none95),
    turn("hooks by HTTP to a bare server, p50", measured.http, measured.none),
    turn("hooks by HTTP to a bare server, p95", measured.http95, measured.none95),
    { name: "of it the hook, by the spool", unit: "ms", ours: measured.cost, limit: null, goal: { first: 5 } },
    { name: "of it the hook, by HTTP", unit: "ms", ours: measured.posted, limit: null, goal: { first: 5 } },
    {
      name: "the hook's program by itself",
      unit: "ms",
      ours: measured.spawns,
      limit: { name: "sh and cat", value: measured.floor },
      goal: null,
    },
  ];
}

/** How the hooks of Claude Code report. */
type Way = "none" | "spool" | "http";

function withHooks(launch: Launch, way: Way, url: string): Launch {
  if (way === "spool") return launch;
  const files: Record<string, string> = { ...launch.files };
  for (const [path, text] of Object.entries(files)) {
    if (path.endsWith("drover-settings.json")) files[path] = way === "none" ? "{}" : postingTo(url, text);
  }
  return { ...launch, files };
}

/** The same settings, with hooks that post in place of ours. */
function postingTo(url: string, settings: string): string {
  const { hooks } = JSON.parse(settings) as { hooks: Record<string, unknown> };
  const hook = { type: "http", url, timeout: 5 };
  return JSON.stringify({ hooks: Object.fromEntries(Object.keys(hooks).map((name) => [name, [{ hooks: [hook] }]])) });
}

/** A server that takes what is posted and does nothing, on the loopback of a network namespace. */
async function openReceiver([enter = "", ...words]: readonly string[]): Promise<{ url: string } & AsyncDisposable> {
  const program = join(import.meta.dirname, "programs/hook-receiver.ts");
  const child = spawn(enter, [...words, process.execPath, program], { stdio: ["pipe", "pipe", "inherit"] });
  const closed = once(child, "close");
  const [port] = (await once(child.stdout, "data")) as [Buffer];
  return {
    url: `http://127.0.0.1:${Number(port)}/`,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await closed;
    },
  };
}

async function timesOf(once: () => Promise<number>): Promise<number> {
  const samples: number[] = [];
  for (let index = 0; index < 30; index += 1) samples.push(await once());
  return median(samples);
}

/** How the API answers while so many hooks of an open run come in as an hour would bring in a minute; none may be lost. */
async function costToDaemon(count: number, seconds: number): Promise<Figure[]> {
  await using scene = await openScene({});
  const { home, run } = scene;
  let told = 0;
  const measured = await rounds(count, async () => {
    await untilQuiet({ withinMs: 10_000 });
    const quiet = await answersFor(home, seconds);
    const stop = new AbortController();
    const telling = tellUntil(scene.spool, stop.signal);
    const busy = await answersFor(home, seconds);
    stop.abort();
    told += await telling;
    await until(home.database, () => countOf(home, run) === told);
    return { quiet: percentile(quiet, 0.95), busy: percentile(busy, 0.95) };
  });
  const limit = { name: "without hooks", value: measured.quiet };
  return [
    {
      name: `GET /api/tasks while ${AN_HOUR.toLocaleString("en")} hooks an hour come in ${FASTER} times as fast, p95`,
      unit: "ms",
      ours: measured.busy,
      limit,
      goal: null,
    },
  ];
}

async function answersFor({ client }: Home, seconds: number): Promise<number[]> {
  const samples: number[] = [];
  for (const endAt = performance.now() + seconds * 1000; performance.now() < endAt;) {
    const askedAt = performance.now();
    await client.listTasks();
    samples.push(performance.now() - askedAt);
    await sleep(READ_EVERY_MS);
  }
  return samples;
}

/** Appends hooks to a spool as they would come, and returns how many those were. */
async function tellUntil(spool: string, signal: AbortSignal): Promise<number> {
  const payload = `${JSON.stringify({ hook_event_name: "PostToolUse", tool_name: "Bash", tool_input: { command: "npm test" }, tool_response: { stdout: "x".repeat(2000) } })}\n`;
  const startedAt = performance.now();
  let told = 0;
  while (!signal.aborted) {
    const due = Math.floor(((performance.now() - startedAt) / 3_600_000) * AN_HOUR * FASTER);
    for (; told < due; told += 1) await appendFile(spool, payload);
    await sleep(3);
  }
  return told;
}

function countOf({ database }: Home, run: Run): number {
  let [counted, after] = [0, 0];
  for (;;) {
    const page = listHookEvents(database.reader, { runId: run.id, after, limit: 500 });
    counted += page.filter(({ source }) => source === "agent").length;
    after = page.at(-1)?.sequence ?? after;
    if (page.length < 500) return counted;
  }
}

/** From the moment that an agent's line is there to be read, or could be expected, until the state that it means is stored. */
async function delays(count: number): Promise<Figure[]> {
  const say = (line: object) => `echo '${JSON.stringify(line)}'`;
  const measured = await rounds(count, async () => {
    await using scene = await openScene({ timeout: SILENCE_MS });
    const permission = await scene.delay("waiting_permission", say({ type: "question_asked", id: "p", tool: "Bash" }));
    const work = await scene.delay("running", say({ type: "turn_ended", verdict: { ok: true } }));
    const limited = await scene.delay("rate_limited", say({ type: "retrying", attempt: 1, message: "529" }));
    const again = await scene.delay("running", say({ type: "tool_called", id: "1", tool: "Read" }));
    const answer = await scene.delay("waiting_answer", say({ type: "question_asked", id: "a", tool: "question" }));
    await scene.delay("running", say({ type: "turn_ended", verdict: { ok: true } }));
    const stuck = (await scene.delay("stuck", say({ type: "message", text: "Now I do nothing." }))) - SILENCE_MS / 2;
    // Of one that has not said its last word, as the other has.
    await using another = await openScene({});
    const crashed = await another.delay("crashed", "kill -KILL $$");
    return { permission, work, limited, again, answer, stuck, crashed };
  });
  const figure = (name: string, ours: Values): Figure => ({
    name: `until it is known: ${name}`,
    unit: "ms",
    ours,
    limit: null,
    goal: null,
  });
  return [
    figure("waits for a permission", measured.permission),
    figure("waits for an answer", measured.answer),
    figure("rate limited", measured.limited),
    figure("running again", measured.again),
    figure("stuck, behind half of the limit of silence", measured.stuck),
    figure("crashed", measured.crashed),
  ];
}

interface Scene extends AsyncDisposable {
  readonly home: Home;
  readonly run: Run;
  readonly spool: string;
  /** How long it takes from an order to the agent until the run's stored state is so. */
  readonly delay: (state: RunStateName, order: string) => Promise<number>;
}

/** A daemon with one open run, whose agent does what it is told. */
async function openScene(defaults: object): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const agents = { obeys: { driver: "command", command: ["sh", OBEYS], args: [], env: ["ORDERS"] } };
  const home = stack.use(await openHome({ agents, defaults: { agent: "obeys", retryAttempts: 1, ...defaults } }));
  const fifo = join(home.folder, "orders");
  execFileSync("mkfifo", [fifo]);
  const orders: FileHandle = await open(fifo, "r+");
  stack.defer(() => orders.close());
  home.env["ORDERS"] = fifo;
  await home.start();
  await home.client.registerProject({ body: { path: makeRepository(join(home.folder, "tiny")).path, name: "tiny" } });
  await home.client.createTask({ body: { project: "tiny", title: "Measure" } });
  await until(home.database, () => openRuns(home.database.reader)[0]?.sessionId === "obeys");
  const [run] = openRuns(home.database.reader);
  if (!run) throw new Error("The run has ended too soon.");
  const spool = join(home.folder, "home", "runs", run.taskId, "config", "hooks", `${run.id}.jsonl`);
  const delay = async (state: RunStateName, order: string) => {
    const orderedAt = performance.now();
    await orders.write(`${order}\n`);
    await until(home.database, () => getRun(home.database.reader, run.id).state?.state === state);
    return performance.now() - orderedAt;
  };
  const end = stack.move();
  return { home, run, spool, delay, [Symbol.asyncDispose]: () => end.disposeAsync() };
}
