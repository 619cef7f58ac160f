import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Candidate } from "../../src/domain/schedule.ts";
import { changeProject, removeProject } from "../../src/store/projects.ts";
import { countRunning, latestVirtualTime, listDue, loadShares, nextDueAt } from "../../src/store/queue.ts";
import { addProject, addTask, scratchDatabase, startTask } from "../support/scratch-database.ts";

describe("the queue", () => {
  test("gives each project with due work, and of it the first by priority, by deadline and by age", () => {
    const task = fc.record({
      priority: fc.integer({ min: 40, max: 43 }),
      deadlineAt: fc.option(fc.integer({ min: 1, max: 5 })),
      queuedAt: fc.integer({ min: 0, max: 5 }),
      runAfter: fc.constantFrom(0, 0, 0, 500),
    });
    fc.assert(
      fc.property(fc.array(task, { maxLength: 12 }), fc.constantFrom(1, 3), (tasks, limit) => {
        using scratch = scratchDatabase();
        const { database } = scratch;
        const { id: projectId } = addProject(database);
        const all = tasks.map(({ priority, deadlineAt, queuedAt, runAfter }, index) => {
          const { id: taskId } = addTask(database, projectId, { priority, deadlineAt });
          database.writeNow((tx) =>
            tx.run("UPDATE tasks SET queued_at = :queuedAt, run_after = :runAfter WHERE id = :taskId", { taskId, queuedAt, runAfter }),
          );
          return { runAfter, candidate: { taskId, projectId, priority, deadlineAt, queuedAt, sequence: index + 1 } };
        });
        const due = all.filter((one) => one.runAfter <= 100).map((one) => one.candidate);
        const by = (key: (one: Candidate) => number, among = due, next: (one: Candidate) => number = () => 0) =>
          among.toSorted((a, b) => key(a) - key(b) || next(a) - next(b) || a.sequence - b.sequence).slice(0, limit);
        const withDeadline = due.filter((one) => one.deadlineAt !== null);
        const expected = new Set([
          ...by((one) => -one.priority),
          ...by(
            (one) => one.deadlineAt ?? 0,
            withDeadline,
            (one) => -one.priority,
          ),
          ...by((one) => one.queuedAt),
        ]);
        expect(sorted(listDue(database.reader, projectId, 100, limit).flatMap(({ heads }) => heads))).toEqual(sorted([...expected]));
        expect(nextDueAt(database.reader, 100)).toBe(all.length > due.length ? 500 : undefined);
        const shares = loadShares(database.reader, 100, [projectId]);
        expect(shares).toEqual(loadShares(database.reader, 100));
        expect(shares.length).toBe(due.length > 0 ? 1 : 0);
      }),
      { numRuns: 60 },
    );
  });

  test("leaves out disabled and unregistered projects, and says what each runs and has had", () => {
    using scratch = scratchDatabase();
    const { database, clock } = scratch;
    const projects = ["a", "b", "c"].map((name, index) => addProject(database, { name, priority: 10 * index, weight: index + 1 }));
    const [a, b, c] = projects;
    for (const project of projects) addTask(database, project.id);
    for (const project of projects) startTask(database, addTask(database, project.id).id);
    if (!a || !b || !c) throw new Error("There are three projects.");
    database.writeNow((tx) => changeProject(tx, a.id, { enabled: false }));
    database.writeNow((tx) => removeProject(tx, b.id));
    expect(loadShares(database.reader, clock.now()).map(({ lanes, ...share }) => [share, lanes.length])).toEqual([
      [{ projectId: c.id, priority: 20, weight: 3, virtualTime: 1, running: 1, runningMax: Infinity }, 1],
    ]);
    expect(loadShares(database.reader, clock.now(), [a.id, b.id])).toEqual([]);
    expect(countRunning(database.reader)).toEqual({ total: 3, byProject: new Map(projects.map(({ id }) => [id, 1])) });
    expect(latestVirtualTime(database.reader)).toBe(1);
  });
});

function sorted(candidates: readonly Candidate[]): Candidate[] {
  return candidates.toSorted((a, b) => a.sequence - b.sequence);
}
