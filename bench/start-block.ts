import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createSystemTable } from "../src/process/system-table.ts";
import { noLimits } from "../src/process/limits.ts";
import { createProcessHost } from "../src/process/real-host.ts";
import { systemClock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import type { Benchmark, Figure } from "./benchmark.ts";
import { untilQuiet } from "./machine.ts";
import { openHome } from "./parts/home.ts";
import { median, percentile, rounds, type Values } from "./statistics.ts";

/** A daemon that has grown: a spawn of its own would cost in proportion. */
const BALLAST_MB = 256;
/** A start of ours takes about this long, most of which is waiting. */
const ABOUT_A_START_MS = 10;

/** For how long the daemon does nothing else while it starts an agent. */
export const benchmark: Benchmark = async ({ rounds: count, quick }) => {
  const starts = quick ? 20 : 100;
  await using home = await openHome({});
  // Not for its own sake: this process is as big as a daemon then.
  await home.start();
  const small = await rounds(count, (round) => measure(home.folder, `small-${round}`, starts));
  const ballast = Buffer.alloc(BALLAST_MB * 2 ** 20, 1);
  const big = await rounds(count, (round) => measure(home.folder, `big-${round}`, starts));
  return [...describe("daemon-sized process", small), ...describe(`${ballast.length / 2 ** 20} MB more`, big)];
};

type Measured = Awaited<ReturnType<typeof measure>>;

/** One kind after the other: the memory that a fork shares is paid for only when it is written next. */
async function measure(folder: string, name: string, starts: number) {
  await untilQuiet({ withinMs: 10_000 });
  const ours = await startHeld(join(folder, name), starts);
  const plain: number[] = [];
  for (let index = 0; index < starts; index += 1) {
    plain.push(await longestBlock(() => once(spawn("true", { stdio: "ignore" }), "spawn")));
  }
  const nothing: number[] = [];
  for (let index = 0; index < starts; index += 1) nothing.push(await longestBlock(() => sleep(ABOUT_A_START_MS)));
  return {
    ours50: median(ours),
    ours99: percentile(ours, 0.99),
    plain50: median(plain),
    plain99: percentile(plain, 0.99),
    nothing50: median(nothing),
    nothing99: percentile(nothing, 0.99),
  };
}

async function startHeld(folder: string, starts: number): Promise<number[]> {
  const path = process.env["PATH"] ?? "";
  const table = createSystemTable(systemClock);
  const own = { scope: folder, agentHosts: join(folder, "agent-hosts"), path, outputMaxBytes: 2 ** 20 };
  const host = createProcessHost({ clock: systemClock, log: silentLog, table, ...own });
  const samples: number[] = [];
  for (let index = 0; index <= starts; index += 1) {
    const directory = join(folder, String(index));
    const argv: [string] = ["true"];
    const command = { directory, argv, cwd: "/", env: { PATH: path }, files: {}, stdin: "go\n", marker: `run-${index}`, limits: noLimits };
    const block = await longestBlock(() => host.start(command));
    // The first one starts the spawner, once in the life of a daemon.
    if (index > 0) samples.push(block);
    await host.waitForEnd(directory, new AbortController().signal);
  }
  await host.close();
  return samples;
}

/** The longest time between two turns of the event loop until `work` is done, milliseconds. */
async function longestBlock(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let isDone = false;
  let last = performance.now();
  const turn = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  isDone = true;
  turn();
  return longest;
}

function describe(where: string, measured: Record<keyof Measured, Values>): Figure[] {
  const plain = "child_process.spawn of the same";
  const nothing = "nothing done for as long";
  const of = (name: string, value: Values) => ({ name, value });
  return [
    {
      name: `longest block a start, ${where}, p99`,
      unit: "ms",
      ours: measured.ours99,
      limit: of(plain, measured.plain99),
      goal: { first: 5 },
    },
    { name: "the same, p50", unit: "ms", ours: measured.ours50, limit: of(plain, measured.plain50), goal: null },
    { name: "the same, p99", unit: "ms", ours: measured.ours99, limit: of(nothing, measured.nothing99), goal: null },
    { name: "the same, p50", unit: "ms", ours: measured.ours50, limit: of(nothing, measured.nothing50), goal: null },
  ];
}
