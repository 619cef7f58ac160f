import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Run } from "../src/contract/run.ts";
import type { Database } from "../src/store/database.ts";
import { claimTask, recordRun } from "../src/store/transitions.ts";
import type { Benchmark } from "./benchmark.ts";
import { untilQuiet } from "./machine.ts";
import { addProject, addTask, CLAIM, makeScratch } from "./parts/scratch.ts";
import { median, percentile, rounds } from "./statistics.ts";

const AT_ONCE = 50;

/** How long a fact about a run takes to be on the disk: asked for, fenced, written, and told of. */
export const benchmark: Benchmark = async ({ rounds: count, quick }) => {
  const writes = quick ? 1000 : 10_000;
  const measured = await rounds(count, async () => {
    await untilQuiet({ withinMs: 10_000 });
    using scratch = makeScratch();
    const { database, run } = withOpenRun(scratch.open());
    const alone: number[] = [];
    const together: number[] = [];
    const disk: number[] = [];
    const bare: number[] = [];
    // In slices, so that each meets the same disk.
    for (let slice = 0; slice < 10; slice += 1) {
      disk.push(...fsyncs(scratch.folder, writes / 20));
      bare.push(...bareCommits(join(scratch.folder, `bare-${slice}.db`), writes / 20));
      for (let write = 0; write < writes / 20; write += 1) alone.push(await timeWrite(database, run));
      for (let turn = 0; turn < writes / 20 / AT_ONCE; turn += 1) {
        together.push(...(await Promise.all(Array.from({ length: AT_ONCE }, () => timeWrite(database, run)))));
      }
    }
    return {
      alone50: median(alone),
      alone99: percentile(alone, 0.99),
      together50: median(together),
      together99: percentile(together, 0.99),
      disk50: median(disk),
      disk99: percentile(disk, 0.99),
      bare50: median(bare),
      bare99: percentile(bare, 0.99),
    };
  });
  const bare50 = { name: "bare commit of one row", value: measured.bare50 };
  const bare99 = { name: "bare commit of one row, p99", value: measured.bare99 };
  return [
    { name: "fact of a run, p50", unit: "ms", ours: measured.alone50, limit: bare50, goal: { first: 10, later: 2 } },
    { name: "fact of a run, p99", unit: "ms", ours: measured.alone99, limit: bare99, goal: { first: 10, later: 2 } },
    { name: `one of ${AT_ONCE} at once, p50`, unit: "ms", ours: measured.together50, limit: bare50, goal: { first: 10, later: 2 } },
    { name: `one of ${AT_ONCE} at once, p99`, unit: "ms", ours: measured.together99, limit: bare99, goal: { first: 10, later: 2 } },
    { name: "the disk itself: write 4 kB and fsync, p50", unit: "ms", ours: measured.disk50, limit: null, goal: null },
    { name: "the disk itself, p99", unit: "ms", ours: measured.disk99, limit: null, goal: null },
  ];
};

function withOpenRun(database: Database): { database: Database; run: Run } {
  const run = database.writeNow((tx) => {
    const { id } = addProject(tx, "api");
    const task = addTask(tx, id, 1);
    return claimTask(tx, { ...CLAIM, taskId: task.id });
  });
  if (!run) throw new Error("The task could not be claimed.");
  return { database, run };
}

async function timeWrite(database: Database, run: Run): Promise<number> {
  const startedAt = performance.now();
  const about = { projectId: run.projectId, taskId: run.taskId, runId: run.id };
  await database.write((tx) =>
    recordRun(tx, run, { outputOffset: 1, progressAt: tx.now }, [
      { type: "run.tool_finished", ...about, data: { tool: "Write", failed: false } },
    ]),
  );
  return performance.now() - startedAt;
}

function bareCommits(path: string, times: number): number[] {
  const database = new DatabaseSync(path);
  database.exec(
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE facts (id INTEGER PRIMARY KEY, fact TEXT NOT NULL) STRICT",
  );
  const insert = database.prepare("INSERT INTO facts (fact) VALUES (?)");
  const samples = time(times, () => insert.run("a fact of about the size that one of a run has, so that it fills as much of a page"));
  database.close();
  return samples;
}

function fsyncs(folder: string, times: number): number[] {
  const file = openSync(join(folder, "fsync"), "w");
  const page = Buffer.alloc(4096, 1);
  const samples = time(times, () => {
    writeSync(file, page);
    fsyncSync(file);
  });
  closeSync(file);
  return samples;
}

function time(times: number, work: () => void): number[] {
  return Array.from({ length: times }, () => {
    const startedAt = performance.now();
    work();
    return performance.now() - startedAt;
  });
}
