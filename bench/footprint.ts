import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import type { Benchmark } from "./benchmark.ts";
import { untilQuiet } from "./machine.ts";
import { openWaitingHome, registerProjects, startAgents } from "./parts/busy-home.ts";
import { footprintOf } from "./parts/footprint-of.ts";
import { Program, timeProcess } from "./parts/program.ts";
import { rounds } from "./statistics.ts";

const PROJECTS = 10;
const RUNS = 50;
/** What a start has left behind is collected by then. */
const SETTLE_MS = 5000;
/** A process of Node.js with an HTTP server and nothing else: what no daemon can be smaller than. Not TypeScript, whose stripping takes 16 MB. */
const BARE_SERVER = `import { createServer } from "node:http";
createServer((_, response) => void response.end("{}")).listen(0, "127.0.0.1", () => console.log("{}"));`;
const DAEMON = fileURLToPath(new URL("../src/daemon/main.ts", import.meta.url));

/** What the daemon takes of the machine, and how soon it is there. */
export const benchmark: Benchmark = async ({ rounds: count, quick }) => {
  const memory = await rounds(quick ? 1 : count, measureMemory);
  const times = await rounds(count * 3, measureStart);
  const resident = { name: "bare node with node:http", value: memory.bareResident };
  const dirty = { name: "bare node with node:http", value: memory.bareDirty };
  return [
    { name: `resident, ${PROJECTS} projects, idle`, unit: "MB", ours: memory.idleResident, limit: resident, goal: { first: 80 } },
    { name: `resident, ${RUNS} runs`, unit: "MB", ours: memory.busyResident, limit: resident, goal: { first: 120 } },
    { name: `resident, each of ${RUNS} runs`, unit: "MB", ours: memory.eachRun, limit: null, goal: null },
    { name: "private and written, idle", unit: "MB", ours: memory.idleDirty, limit: dirty, goal: null },
    { name: `private and written, ${RUNS} runs`, unit: "MB", ours: memory.busyDirty, limit: dirty, goal: null },
    {
      name: "start of the process to healthy",
      unit: "ms",
      ours: times.healthy,
      limit: { name: "node -e 0, to its end", value: times.nothing },
      goal: { first: 300 },
    },
  ];
};

async function measureMemory() {
  await using bare = await Program.start(["--input-type=module", "-e", BARE_SERVER]);
  await using home = await openWaitingHome(RUNS);
  const first = await home.start();
  const projects = await registerProjects(first, home.folder, PROJECTS);
  await first.stop();
  const daemon = await home.start();
  await sleep(SETTLE_MS);
  const idle = footprintOf(daemon.pid);
  const server = footprintOf(bare.pid);
  await startAgents(daemon, projects, RUNS);
  await sleep(SETTLE_MS);
  const busy = footprintOf(daemon.pid);
  return {
    idleResident: idle.resident,
    idleDirty: idle.dirty,
    busyResident: busy.resident,
    eachRun: (busy.resident - idle.resident) / RUNS,
    busyDirty: busy.dirty,
    bareResident: server.resident,
    bareDirty: server.dirty,
  };
}

/** With compiled code kept from an earlier start, as after the first. */
async function measureStart() {
  await untilQuiet({ withinMs: 5000 });
  await using home = await openWaitingHome(1);
  await (await home.start()).stop();
  const env = { PATH: process.env["PATH"], HOME: home.folder, DROVER_HOME: home.home, ...home.env };
  await using daemon = await Program.start([DAEMON], env);
  return { healthy: daemon.readyAfterMs, nothing: await timeProcess(process.execPath, ["-e", "0"]) };
}
