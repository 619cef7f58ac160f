import { expect, test } from "vitest";
import { columnOf } from "../../src/contract/board.ts";
import { findCards, listCards } from "../../src/store/board.ts";
import { keepBranch } from "../../src/store/branches.ts";
import { listFigures, listRunTotals } from "../../src/store/figures.ts";
import { addProject, addTask, carryOut, scratchDatabase, startTask } from "../support/scratch-database.ts";

test("the board has what is open, what ended last, and every branch that waits; each with its open run", () => {
  using scratch = scratchDatabase();
  const { database, clock } = scratch;
  const { id } = addProject(database);
  const [first, second, third, fourth] = ["One", "Two", "Three", "Four"].map((title, index) =>
    addTask(database, id, { title, priority: index }),
  );
  if (!first || !second || !third || !fourth) throw new Error("There are four.");
  for (const task of [first, second]) {
    carryOut(database, task.id);
    clock.advance(1000);
  }
  const commits = { baseCommit: "a", headCommit: "b", isQueued: false };
  database.writeNow((tx) => keepBranch(tx, { id: first.id, projectId: id }, commits));
  const run = startTask(database, third.id);

  const { cards, omitted } = listCards(database.reader, { open: 10, ended: 1 });
  expect(cards.map((card) => [card.key, columnOf(card), card.run?.id ?? null])).toEqual([
    ["api#1", "passing", null],
    ["api#2", "complete", null],
    ["api#3", "in progress", run.id],
    ["api#4", "pending", null],
  ]);
  expect(omitted).toBe(0);
  const few = listCards(database.reader, { open: 1, ended: 1 });
  expect([few.cards.map(({ key }) => key), few.omitted]).toEqual([["api#1", "api#2", "api#4"], 1]);
  expect(findCards(database.reader, [third.id, "task_unknown"]).map(({ key }) => key)).toEqual(["api#3"]);
});

test("figures are of the runs that began in their time, a row a day and a name", () => {
  using scratch = scratchDatabase();
  const { database, clock } = scratch;
  const { id } = addProject(database);
  const done = addTask(database, id);
  const open = addTask(database, id);
  carryOut(database, done.id);
  startTask(database, open.id);
  const day = new Date(clock.now()).toISOString().slice(0, 10);
  const counts = { runs: 2, succeeded: 1, failed: 0, cancelled: 0, durationMs: 0, inputTokens: 0, outputTokens: 0, costUsdMicros: 0 };
  expect(listFigures(database.reader, 0, "project")).toEqual([{ day, name: "api", ...counts }]);
  expect(listFigures(database.reader, 0, "agent")).toEqual([{ day, name: "claude", ...counts }]);
  expect(listFigures(database.reader, clock.now() + 1, "project")).toEqual([]);
  const { durationMs, inputTokens, outputTokens, costUsdMicros } = counts;
  expect(listRunTotals(database.reader, 0)).toEqual([
    { project: "api", agent: "claude", outcome: "no_change", runs: 1, durationMs, inputTokens, outputTokens, costUsdMicros },
  ]);
});
