import { expect, test } from "vitest";
import { learnedMemory, openFootprints, recordMemory } from "../../src/store/footprints.ts";
import { finishRun } from "../../src/store/transitions.ts";
import { addProject, addTask, carryOut, content, scratchDatabase, startTask, step } from "../support/scratch-database.ts";

test("what a project's agents took at most is learned from its newest runs, those that are open too", () => {
  using scratch = scratchDatabase();
  const { database } = scratch;
  const [api, web] = [addProject(database), addProject(database, { name: "web" })];
  const record = (run: { id: `run_${string}` }, bytes: number) => database.writeNow((tx) => recordMemory(tx, run.id, bytes));
  const first = startTask(database, addTask(database, api.id).id);
  expect([learnedMemory(database.reader, api.id), openFootprints(database.reader)]).toEqual([
    0,
    [{ id: first.id, projectId: api.id, peakBytes: 0 }],
  ]);
  record(first, 300.4);
  record(first, 200);
  expect(openFootprints(database.reader)).toEqual([{ id: first.id, projectId: api.id, peakBytes: 300 }]);
  database.writeNow((tx) => finishRun(tx, first, { outcome: content, next: step("succeeded") }));
  record(first, 900);
  const second = startTask(database, addTask(database, api.id).id);
  record(second, 100);
  expect([learnedMemory(database.reader, api.id), learnedMemory(database.reader, web.id)]).toEqual([300, 0]);
  database.writeNow((tx) => finishRun(tx, second, { outcome: content, next: step("succeeded") }));
  for (let run = 0; run < 19; run += 1) carryOut(database, addTask(database, api.id).id);
  // Of the twenty newest the second is the oldest; the first is forgotten.
  expect(learnedMemory(database.reader, api.id)).toBe(100);
});
