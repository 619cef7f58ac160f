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

/** What Drover itself costs a task: claim, run, checks, outcome, push, pull request and two comments, all durable, in a world that takes no time. */
export const benchmark: Benchmark = async ({ rounds: count, quick }) => {
  const tasks = quick ? 1000 : 5000;
  const measured = await rounds(count, async () => {
    await untilQuiet({ withinMs: 3_000 });
    const bare = await timeBareLoop(tasks);
    return { ...(await timeTasks(tasks)), bare };
  });
  const limit = { name: "bare loop: claim and complete", value: measured.bare };
  return [
    {
      name: `a task, issue to pull request, ${AT_ONCE} at once`,
      unit: "µs",
      ours: measured.toPullRequest,
      limit,
      goal: { first: 140, later: 36 },
    },
    { name: "of it until its run has ended", unit: "µs", ours: measured.toEnd, limit, goal: null },
  ];
};

async function timeTasks(tasks: number): Promise<{ toEnd: number; toPullRequest: number }> {
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
  const startedAt = performance.now();
  publisher.start();
  await engine.start();
  await until(database, () => countTasks(database.reader).succeeded === tasks);
  const endedAt = performance.now();
  await until(database, () => !hasPendingEffects(database.reader));
  const publishedAt = performance.now();
  await engine.stop("stop");
  await publisher.stop();
  const perTask = (ms: number) => (ms * 1000) / tasks;
  return { toEnd: perTask(endedAt - startedAt), toPullRequest: perTask(publishedAt - startedAt) };
}

async function timeBareLoop(tasks: number): Promise<number> {
  using scratch = makeScratch();
  using queue = new BareQueue(join(scratch.folder, "bare.db"));
  queue.fill({ queued: tasks, done: 0 });
  const startedAt = performance.now();
  const worker = async () => {
    for (let id = await queue.claim(); id !== undefined; id = await queue.claim()) await queue.complete(id);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return ((performance.now() - startedAt) * 1000) / tasks;
}
