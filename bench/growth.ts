import { join } from "node:path";
import type { ProjectId } from "../src/contract/ids.ts";
import type { Run } from "../src/contract/run.ts";
import type { Database } from "../src/store/database.ts";
import { loadShares } from "../src/store/queue.ts";
import { listProjects } from "../src/store/projects.ts";
import { countTasks, listTasks } from "../src/store/tasks.ts";
import { claimTask, finishRun, retryTask } from "../src/store/transitions.ts";
import type { Benchmark, Figure } from "./benchmark.ts";
import { untilQuiet } from "./machine.ts";
import { BareQueue } from "./parts/bare-queue.ts";
import { openManyTasks } from "./parts/many-tasks.ts";
import { CLAIM, makeScratch } from "./parts/scratch.ts";
import { median, single, valuesOf } from "./statistics.ts";

const PROJECTS = 10;
/** Of one commit, so that the disk's mood weighs little. */
const AT_ONCE = 20;

/** What the same work costs when there are few tasks, and when there are very many. */
export const benchmark: Benchmark = async ({ rounds: count, quick }) => {
  using scratch = makeScratch();
  const sizes = quick ? [100, 10_000] : [100, 10_000, 1_000_000];
  const stores = sizes.map((tasks) => {
    const queue = new BareQueue(join(scratch.folder, `bare-${tasks}.db`));
    queue.fill({ queued: tasks / 2, done: tasks / 2 });
    return { tasks, queue, database: openManyTasks(scratch, `drover-${tasks}`, { projects: PROJECTS, tasks }), samples: new Samples() };
  });
  for (let round = 0; round < count * (quick ? 20 : 60); round += 1) {
    if (round % 20 === 0) await untilQuiet({ withinMs: 5000 });
    for (const { database, queue, samples } of stores) await measure(database, queue, samples);
  }
  for (const { queue } of stores) queue[Symbol.dispose]();
  return describe(stores);
};

const works = ["claim", "transition", "list of 50", "counts", "bare claim and complete"] as const;
type Work = (typeof works)[number];

class Samples {
  readonly #all = new Map<Work, number[]>();

  add(work: Work, microseconds: number): void {
    this.#all.set(work, [...this.of(work), microseconds]);
  }

  of(work: Work): number[] {
    return this.#all.get(work) ?? [];
  }
}

async function measure(database: Database, queue: BareQueue, samples: Samples): Promise<void> {
  const projects = listProjects(database.reader).map(({ id }) => id);
  const runs = await timed(samples, "claim", AT_ONCE, () => claimSome(database, projects));
  await timed(samples, "transition", AT_ONCE, () => failAll(database, runs));
  await timed(samples, "list of 50", 1, () => listTasks(database.reader, { limit: 50 }));
  await timed(samples, "counts", 1, () => countTasks(database.reader));
  // All are wanted again, so that there are as many as before.
  await Promise.all(runs.map((run) => database.write((tx) => retryTask(tx, run.taskId))));
  const ids = await timed(samples, "bare claim and complete", AT_ONCE, async () => {
    const claimed = await Promise.all(Array.from({ length: AT_ONCE }, () => queue.claim()));
    await Promise.all(claimed.map((id) => queue.complete(id ?? 0)));
    return claimed;
  });
  await Promise.all(ids.map((id) => queue.complete(id ?? 0, "queued")));
}

async function timed<Result>(samples: Samples, work: Work, times: number, run: () => Result | Promise<Result>): Promise<Result> {
  const startedAt = performance.now();
  const result = await run();
  samples.add(work, ((performance.now() - startedAt) * 1000) / times);
  return result;
}

/** As the dispatcher does: the head of a project's queue, and the claim of it. */
async function claimSome(database: Database, projects: readonly ProjectId[]): Promise<Run[]> {
  const claims = Array.from({ length: AT_ONCE }, (_, index) =>
    database.write((tx) => {
      const [share] = loadShares(tx, tx.now, [projects[index % projects.length] ?? "project_"]);
      const head = share?.lanes[0]?.heads[0];
      return head && claimTask(tx, { ...CLAIM, taskId: head.taskId });
    }),
  );
  return (await Promise.all(claims)).filter((run) => run !== undefined);
}

async function failAll(database: Database, runs: readonly Run[]): Promise<void> {
  const next = {
    status: "failed",
    stage: null,
    iteration: null,
    reason: "agent_error",
    message: null,
    runAfter: null,
    keepsAttempt: false,
    resumeSessionId: null,
    effects: [],
  } as const;
  const outcome = { status: "no_change", report: "" } as const;
  await Promise.all(runs.map((run) => database.write((tx) => finishRun(tx, run, { outcome, next }))));
}

function describe(stores: readonly { tasks: number; samples: Samples }[]): Figure[] {
  const costs = stores.flatMap(({ tasks, samples }) =>
    works.slice(0, -1).map((work): Figure => {
      const limit =
        work === "claim" || work === "transition"
          ? { name: "bare claim and complete", value: valuesOf(samples.of("bare claim and complete")) }
          : null;
      return { name: `${work}, ${tasks.toLocaleString("en-US")} tasks`, unit: "µs", ours: valuesOf(samples.of(work)), limit, goal: null };
    }),
  );
  return [...costs, ...growths(stores)];
}

function growths(stores: readonly { samples: Samples }[]): Figure[] {
  const [few, many] = [stores[0], stores.at(-1)];
  if (!few || !many) return [];
  const factor = (work: Work) => single(median(many.samples.of(work)) / median(few.samples.of(work)));
  const limit = { name: "bare claim and complete", value: factor("bare claim and complete") };
  return works.slice(0, -1).map((work): Figure => ({
    name: `${work}: the largest over the smallest`,
    unit: "×",
    ours: factor(work),
    limit,
    goal: { first: 1.2 },
  }));
}
