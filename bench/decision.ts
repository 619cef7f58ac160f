import { join } from "node:path";
import { Budgets } from "../src/engine/budgets.ts";
import { Dispatcher } from "../src/engine/dispatcher.ts";
import { Engine } from "../src/engine/engine.ts";
import { schedule, type ScheduleInput } from "../src/domain/schedule.ts";
import { SchedulingStrategy } from "../src/contract/config.ts";
import { listProjects } from "../src/store/projects.ts";
import { appendEvent } from "../src/store/events.ts";
import type { Benchmark } from "./benchmark.ts";
import { untilQuiet } from "./machine.ts";
import { BareQueue } from "./parts/bare-queue.ts";
import { instantParts } from "./parts/instant-engine.ts";
import { openManyTasks } from "./parts/many-tasks.ts";
import { makeScratch } from "./parts/scratch.ts";
import { median, rounds } from "./statistics.ts";

const PROJECTS = 1000;

/** What it takes to say which task is next, when a thousand projects wait. */
export const benchmark: Benchmark = async ({ rounds: count, quick }) => {
  using scratch = makeScratch();
  const database = openManyTasks(scratch, "drover", { projects: PROJECTS, tasks: quick ? 20_000 : 200_000 });
  using queue = new BareQueue(join(scratch.folder, "bare.db"));
  queue.fill({ queued: 10_000, done: 10_000 });
  const parts = instantParts(database, scratch.folder, 50);
  const dispatcher = new Dispatcher(parts, new Engine(parts).pool, new Budgets(parts), {
    admit: () => ({ admitted: true }),
    admitProject: () => ({ admitted: true }),
  });
  const projects = listProjects(database.reader);
  const input = dispatcher.input();
  const times = quick ? 200 : 1000;
  const measured = await rounds(count, async () => {
    await untilQuiet({ withinMs: 10_000 });
    const whole: number[] = [];
    for (let time = 0; time < times; time += 1) {
      const { id } = projects[time % projects.length] ?? { id: "project_" };
      await database.write((tx) => void appendEvent(tx, { type: "project.poll_recovered", projectId: id, data: {} }));
      whole.push(timed(() => schedule(dispatcher.input())));
    }
    const bare: number[] = [];
    for (let time = 0; time < times; time += 1) {
      const startedAt = performance.now();
      const id = await queue.claim();
      bare.push((performance.now() - startedAt) * 1000);
      await queue.complete(id ?? 0, "queued");
    }
    return { pure: slowestStrategy(input, times), whole: median(whole), bare: median(bare) };
  });
  const limit = { name: "bare claim, committed", value: measured.bare };
  return [
    { name: `schedule() over ${PROJECTS} projects, the slowest strategy`, unit: "µs", ours: measured.pure, limit, goal: { first: 200 } },
    { name: "the dispatcher's whole decision after a commit", unit: "µs", ours: measured.whole, limit, goal: { first: 200 } },
  ];
};

function slowestStrategy(input: ScheduleInput, times: number): number {
  const costs = SchedulingStrategy.options.map((strategy) =>
    median(Array.from({ length: times }, () => timed(() => schedule({ ...input, strategy })))),
  );
  return Math.max(...costs);
}

function timed(work: () => unknown): number {
  const startedAt = performance.now();
  work();
  return (performance.now() - startedAt) * 1000;
}
