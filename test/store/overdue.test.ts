import { expect, test } from "vitest";
import { latestEvents } from "../../src/store/events.ts";
import { failOverdue, hasOverdue, noteOverdue, waitingTooLong } from "../../src/store/overdue.ts";
import { changeProject } from "../../src/store/projects.ts";
import { bucketFullAt, takeToken } from "../../src/store/rates.ts";
import { takenSeats } from "../../src/store/runs.ts";
import { getTask } from "../../src/store/tasks.ts";
import { claimTask } from "../../src/store/transitions.ts";
import { addProject, addTask, carryOut, scratchDatabase } from "../support/scratch-database.ts";

test("who waits too long for his turn is told of once, the longest waiting first, and not while his project is disabled", () => {
  using scratch = scratchDatabase();
  const { database, clock } = scratch;
  const { id: projectId } = addProject(database);
  const [first, second] = [addTask(database, projectId), addTask(database, projectId)];
  clock.advance(1000);
  addTask(database, projectId);
  const since = clock.now();
  const found = () => waitingTooLong(database.reader, since, 10).map(({ id }) => id);
  expect(found()).toEqual([first.id, second.id]);
  expect(waitingTooLong(database.reader, since, 1)).toEqual([{ id: first.id, since: since - 1000 }]);
  database.writeNow((tx) => changeProject(tx, projectId, { enabled: false }));
  expect(found()).toEqual([]);
  database.writeNow((tx) => changeProject(tx, projectId, { enabled: true }));

  const overdue = { waitedMs: 1000, message: "The pool gpu is full: 1 of 1 runs.", action: "report" } as const;
  database.writeNow((tx) => noteOverdue(tx, first.id, overdue));
  expect(found()).toEqual([second.id]);
  expect(getTask(database.reader, first.id)).toMatchObject({ status: "queued", reason: "overdue", message: overdue.message });
  expect(latestEvents(database.reader, { limit: 1 })).toMatchObject([{ type: "task.overdue", taskId: first.id, data: overdue }]);
  expect(hasOverdue(database.reader, projectId)).toBe(true);

  carryOut(database, first.id, "queued");
  expect(hasOverdue(database.reader, projectId)).toBe(false);
});

test("one that has waited long enough fails, and what needs it is blocked", () => {
  using scratch = scratchDatabase();
  const { database } = scratch;
  const { id: projectId } = addProject(database);
  const task = addTask(database, projectId);
  const dependent = addTask(database, projectId, { dependsOn: [task.id] });
  database.writeNow((tx) => failOverdue(tx, task.id, "Too long."));
  expect(getTask(database.reader, task.id)).toMatchObject({ status: "failed", reason: "overdue", message: "Too long." });
  expect(getTask(database.reader, dependent.id)).toMatchObject({ status: "blocked", reason: "dependency_failed" });
});

test("what open runs have of pools, and the bucket of a rate, outlive the daemon", () => {
  using scratch = scratchDatabase();
  const { database, clock } = scratch;
  const { id: projectId } = addProject(database);
  const task = addTask(database, projectId, { needs: ["gpu", "db", "gpu"] });
  expect(task.needs).toEqual(["db", "gpu"]);
  const seats = ["process", "pool:gpu"];
  const claim = {
    taskId: task.id,
    worker: 1,
    agent: "a",
    driver: "a",
    isolation: "process",
    account: "a",
    seats,
    leaseMs: 1,
    virtualTime: 1,
  };
  database.writeNow((tx) => claimTask(tx, claim));
  const user = { kind: "agent", name: "a" } as const;
  const policy = { per: "minute", calls: 10, burst: 2 } as const;
  database.writeNow((tx) => takeToken(tx, user, policy));
  database.writeNow((tx) => takeToken(tx, user, policy));
  database.close();
  const { reader } = scratch.reopen();
  expect(takenSeats(reader)).toEqual(new Map(seats.map((seat) => [seat, 1])));
  expect(bucketFullAt(reader, user)).toBe(clock.now() + 12_000);
});
