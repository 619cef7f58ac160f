import { join } from "node:path";
import { Engine } from "../src/engine/engine.ts";
import { Publisher } from "../src/publish/publisher.ts";
import { hasPendingEffects } from "../src/store/effects.ts";
import { countTasks } from "../src/store/tasks.ts";
import type { Benchmark } from "./benchmark.ts";
import { untilQuiet } from "./machine.ts";
import { BareQueue } from "./parts/bare-queue.ts";
import { until } from "./parts/home.ts";
import { instantParts } from "./parts/instant-engine.ts";
import { addProject, addTask, makeScratch } from "./parts/scratch.ts";
import { rounds } from "./statistics.ts";

const AT_ONCE = 50;
const PROJECTS = 10;

/** What Drover itself costs a task: claim, run, check, outcome, push, pull request and two comments, all durable, in a world that takes no time. */
export const benchmark: Benchmark = async ({ rounds: count, quick }) => {
  const tasks = quick ? 1000 : 5000;
  const measured = await rounds(count, async () => {
    await untilQuiet({ withinMs: 10_000 });
    const bare = await bareLoop(tasks);
    const { ended, published } = await throughEngine(tasks);
    return {
      ended: ended.wall,
      published: published.wall,
      processor: published.processor,
      bare: bare.wall,
      bareProcessor: bare.processor,
    };
  });
  const limit = { name: "bare loop: claim and complete", value: measured.bare };
  const processor = { name: "bare loop, processor time", value: measured.bareProcessor };
  const goal = { first: 140, later: 36 };
  return [
    { name: `a task, issue to pull request, ${AT_ONCE} at once`, unit: "µs", ours: measured.published, limit, goal },
    { name: "of it until its run has ended", unit: "µs", ours: measured.ended, limit, goal },
    { name: "its processor time", unit: "µs", ours: measured.processor, limit: processor, goal: null },
  ];
};

/** Microseconds a task. Processor time is that of all threads; what other programs take of the machine is not in it. */
interface Cost {
  readonly wall: number;
  readonly processor: number;
}

function startCounting(tasks: number): () => Cost {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { wall: ((performance.now() - startedAt) * 1000) / tasks, processor: (user + system) / tasks };
  };
}

async function throughEngine(tasks: number): Promise<{ ended: Cost; published: Cost }> {
  using scratch = makeScratch();
  const database = scratch.open();
  database.writeNow((tx) => {
    for (let project = 0; project < PROJECTS; project += 1) {
      const { id } = addProject(tx, `p${project}`);
      for (let issue = 1; issue <= tasks / PROJECTS; issue += 1) addTask(tx, id, issue);
    }
  });
  const parts = instantParts(database, scratch.folder, AT_ONCE);
  const engine = new Engine(parts);
  const publisher = new Publisher(parts);
  const count = startCounting(tasks);
  publisher.start();
  await engine.start();
  await until(database, () => countTasks(database.reader).succeeded === tasks);
  const ended = count();
  await until(database, () => !hasPendingEffects(database.reader));
  const published = count();
  await engine.stop("stop");
  await publisher.stop();
  return { ended, published };
}

async function bareLoop(tasks: number): Promise<Cost> {
  using scratch = makeScratch();
  using queue = new BareQueue(join(scratch.folder, "bare.db"));
  queue.fill({ queued: tasks, done: 0 });
  const count = startCounting(tasks);
  const worker = async () => {
    for (let id = await queue.claim(); id !== undefined; id = await queue.claim()) await queue.complete(id);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return count();
}
