import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { countTasks } from "../../src/store/tasks.ts";
import { findProblems } from "../../src/store/verification.ts";
import { addProject, addTask, scratchDatabase } from "../support/scratch-database.ts";

const PROGRAM = join(import.meta.dirname, "../programs/claims-tasks.ts");

test("20 processes claim 1,000 tasks through connections of their own, and none gets one that another has", async () => {
  using scratch = scratchDatabase();
  const { id } = addProject(scratch.database);
  scratch.database.writeNow(() => undefined);
  const made = Array.from({ length: 1000 }, () => addTask(scratch.database, id).id);
  const claimed = await Promise.all(Array.from({ length: 20 }, (_, worker) => claims(scratch.path, worker + 1)));
  expect(claimed.flat().toSorted()).toEqual(made.toSorted());
  expect(claimed.filter((ids) => ids.length > 0).length).toBeGreaterThan(1);
  expect(countTasks(scratch.database.reader)).toMatchObject({ queued: 0, running: 1000 });
  expect(findProblems(scratch.database.reader)).toEqual([]);
}, 120_000);

async function claims(path: string, worker: number): Promise<string[]> {
  const child = spawn(process.execPath, [PROGRAM, path, String(worker)], { stdio: ["ignore", "pipe", "inherit"] });
  const [printed, [status]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  expect(status).toBe(0);
  return printed.split("\n").filter(Boolean);
}
