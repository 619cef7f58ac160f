import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { HostSummary } from "../src/contract/agent-host.ts";
import type { Event } from "../src/contract/event.ts";
import { TestHome, type TestDaemon } from "../test/support/daemon.ts";
import type { Benchmark } from "./benchmark.ts";
import { registerProjects } from "./parts/busy-home.ts";
import { lineThrough } from "./parts/line-through.ts";
import { Program } from "./parts/program.ts";
import { footprintOf } from "./parts/footprint-of.ts";
import { single } from "./statistics.ts";

const PROJECTS = 10;
const LATENCY_MS = 2000;
const SLOW_MODEL = fileURLToPath(new URL("programs/slow-model.ts", import.meta.url));
const NOTES_DELAY = pathToFileURL(fileURLToPath(new URL("programs/notes-delay.ts", import.meta.url))).href;
/** Unit of the times in proc_pid_stat(5). */
const MS_A_TICK = 10;

interface Load {
  readonly loops: number;
  readonly atOnce: number;
  readonly turns: number;
}

/** Many runs of our own agent at once, of a model that takes two seconds for an answer: how long they take together, and what they cost. */
export const benchmark: Benchmark = async ({ quick }) => {
  const whole = await measure(quick ? { loops: 12, atOnce: 10, turns: 5 } : { loops: 60, atOnce: 50, turns: 30 });
  const costs: [loops: number, cpuMs: number][] = [];
  for (const loops of quick ? [4, 8] : [10, 20, 30, 40, 50]) {
    const { cpuMs } = await measure({ loops, atOnce: 50, turns: quick ? 3 : 10 });
    console.log(`${loops} loops: ${Math.round(cpuMs / loops)} ms of processor time each`);
    costs.push([loops, cpuMs]);
  }
  const { slope, start, fit } = lineThrough(costs);
  console.log(`processor time = ${Math.round(start)} ms + ${Math.round(slope)} ms a loop, R² ${fit.toFixed(3)}`);
  const { makespanMs, idealMs, residentMB, hostMB, hostDelayMs, daemonDelayMs, flightMax } = whole;
  const ideal = { name: "the model's latency alone", value: single(idealMs) };
  return [
    {
      name: `all ${whole.loops} loops, ${whole.atOnce} at once`,
      unit: "ms",
      ours: single(makespanMs),
      limit: ideal,
      goal: { first: idealMs * 1.1 },
    },
    { name: "loops in flight at one time", unit: "×", ours: single(flightMax), limit: null, goal: null },
    { name: "resident: daemon, agent host, children", unit: "MB", ours: single(residentMB), limit: null, goal: { first: 1000 } },
    { name: "of it the agent host", unit: "MB", ours: single(hostMB), limit: null, goal: null },
    { name: "event-loop delay of the agent host, p99", unit: "ms", ours: single(hostDelayMs), limit: null, goal: { first: 50 } },
    { name: "event-loop delay of the daemon, p99", unit: "ms", ours: single(daemonDelayMs), limit: null, goal: { first: 50 } },
    { name: "processor time a loop, by the line", unit: "ms", ours: single(slope), limit: null, goal: null },
  ];
};

async function measure({ loops, atOnce, turns }: Load) {
  await using model = await Program.start([SLOW_MODEL, String(LATENCY_MS), String(turns)]);
  await using home = await TestHome.make({
    daemon: { tickMs: 15_000 },
    resources: { maxMemoryMB: 16_384, maxCpuPercent: 100 },
    agents: { mine: { driver: "builtin", model: "mock/small-1" } },
    providers: { mock: { kind: "anthropic", baseUrl: `${(JSON.parse(model.said) as { address: string }).address}/v1` } },
    builtin: { maxRunning: atOnce },
    defaults: { agent: "mine" },
  });
  home.env["NODE_OPTIONS"] = `--import=${NOTES_DELAY}`;
  home.env["BENCH_DELAY_FILE"] = join(home.folder, "delay.json");
  const daemon = await home.start();
  const projects = await registerProjects(daemon, home.folder, PROJECTS);
  await daemon.client.changeQueue({ body: { paused: true } });
  for (let index = 0; index < loops; index += 1)
    await daemon.client.createTask({ body: { project: projects[index % PROJECTS] ?? "", title: `LOOP ${index}` } });
  await daemon.client.changeQueue({ body: { paused: false } });
  const sampling = sample(home, daemon);
  const events = await untilEnded(daemon, loops);
  const { cpuMs, residentMB, hostMB } = await sampling.stop();
  await daemon.stop();
  const { p99Ms } = JSON.parse(readFileSync(join(home.folder, "delay.json"), "utf8")) as { p99Ms: number };
  const flight = inFlight(events);
  console.log(`in flight, second by second: ${flight.bySecond.join(" ")}\nstarted out of turn: ${outOfTurn(events)} places at most`);
  return {
    loops,
    atOnce,
    makespanMs: flight.makespanMs,
    flightMax: Math.max(...flight.bySecond),
    idealMs: Math.ceil(loops / atOnce) * turns * LATENCY_MS,
    residentMB,
    hostMB,
    cpuMs,
    hostDelayMs: (await summaryOf(home)).delayP99Ms,
    daemonDelayMs: p99Ms,
  };
}

/** Until so many tasks have ended. Throws when one did not succeed. */
function untilEnded(daemon: TestDaemon, loops: number): Promise<Event[]> {
  let ended = 0;
  return daemon.until((event) => {
    if (event.type !== "run.ended") return false;
    if (event.data.outcome.status !== "succeeded") throw new Error(`A loop did not succeed: ${JSON.stringify(event.data.outcome)}`);
    return (ended += 1) === loops;
  });
}

/** Looks at the daemon, its agent host and all that descends from them, once a second; what was most, and the time used to the end. */
function sample(home: TestHome, daemon: TestDaemon) {
  const stopped = new AbortController();
  let [residentMB, hostMB] = [0, 0];
  const looking = (async () => {
    while (!stopped.signal.aborted) {
      const pids = processesOf(home, daemon);
      residentMB = Math.max(
        residentMB,
        pids.reduce((sum, pid) => sum + residentOf(pid), 0),
      );
      hostMB = Math.max(hostMB, ...hostPids(home).map(residentOf));
      await sleep(1000, undefined, { signal: stopped.signal }).catch(() => undefined);
    }
  })();
  return {
    async stop() {
      const cpuMs = [daemon.pid, ...hostPids(home)].reduce((sum, pid) => sum + cpuOf(pid), 0);
      stopped.abort();
      await looking;
      return { cpuMs, residentMB, hostMB };
    },
  };
}

/** Whatever names the home in its command or environment. */
function processesOf({ home }: TestHome, daemon: TestDaemon): number[] {
  const pids = readdirSync("/proc").map(Number).filter(Boolean);
  return pids.filter((pid) => pid === daemon.pid || textOf(`/proc/${pid}/cmdline`).includes(home));
}

function hostPids({ home }: TestHome): number[] {
  const folder = join(home, "agent-hosts");
  const identities = namesIn(folder).map((id) => textOf(join(folder, id, "identity")));
  return identities.filter((text) => text !== "").map((text) => (JSON.parse(text) as { pid: number }).pid);
}

async function summaryOf({ home }: TestHome): Promise<HostSummary> {
  const folder = join(home, "agent-hosts");
  for (;;) {
    const [said] = namesIn(folder).map((id) => textOf(join(folder, id, "out")));
    if (said) return JSON.parse(said) as HostSummary;
    await sleep(100);
  }
}

function residentOf(pid: number): number {
  try {
    return footprintOf(pid).resident;
  } catch {
    return 0; // it ended while we looked
  }
}

/** Of its own and of the children that it waited for. */
function cpuOf(pid: number): number {
  const fields = textOf(`/proc/${pid}/stat`).split(") ")[1]?.split(" ") ?? [];
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * MS_A_TICK, 0);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** How many agents were at work in each second from the first start to the last end. */
function inFlight(events: readonly Event[]) {
  const times = (type: Event["type"]) => events.filter((event) => event.type === type).map(({ at }) => at);
  const [started, begun, ended] = [times("run.started"), times("run.agent_started"), times("run.agent_ended")];
  const [from, to] = [Math.min(...started), Math.max(...times("run.ended"))];
  const before = (all: readonly number[], at: number) => all.filter((one) => one <= at).length;
  const seconds = Array.from({ length: Math.ceil((to - from) / 1000) }, (_, index) => from + index * 1000);
  return { makespanMs: to - from, bySecond: seconds.map((at) => before(begun, at) - before(ended, at)) };
}

/** By how many places, at most, a loop was started before or behind its turn, which is the order in which they were filed. */
function outOfTurn(events: readonly Event[]): number {
  const order = (type: Event["type"]) => events.filter((event) => event.type === type).map(({ taskId }) => taskId);
  const filed = order("task.created");
  return Math.max(...order("run.started").map((taskId, place) => Math.abs(filed.indexOf(taskId) - place)));
}
