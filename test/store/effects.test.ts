import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Effect, EffectPayload } from "../../src/contract/effect.ts";
import {
  completeEffect,
  countPendingEffects,
  enqueueEffect,
  failEffect,
  listEffects,
  nextEffectAt,
  nextEffects,
} from "../../src/store/effects.ts";
import { eventsAfter, lastSequence } from "../../src/store/events.ts";
import { addProject, addTask, scratchDatabase } from "../support/scratch-database.ts";

const push: EffectPayload = { kind: "push", branch: "drover/1", commit: "c0ffee" };
const comment = (body: string): EffectPayload => ({ kind: "comment", issue: 1, body, linksPullRequest: false });

function twoTasks(scratch: ReturnType<typeof scratchDatabase>) {
  const { database } = scratch;
  const { id: projectId } = addProject(database);
  const tasks = [addTask(database, projectId).id, addTask(database, projectId).id] as const;
  const enqueue = (task: 0 | 1, payload: EffectPayload) =>
    database.writeNow((tx) => enqueueEffect(tx, { projectId, taskId: tasks[task], epoch: 1, payload }));
  return { database, tasks, enqueue };
}

describe("effects", () => {
  test("of a task are carried out one after the other, those of others beside them", () => {
    using scratch = scratchDatabase();
    const { database, enqueue } = twoTasks(scratch);
    const [first, second, other] = [enqueue(0, push), enqueue(0, comment("Done.")), enqueue(1, push)];
    const next = () => nextEffects(database.reader, scratch.clock.now(), 10).map(({ id }) => id);
    expect(next()).toEqual([first.id, other.id]);
    database.writeNow((tx) => completeEffect(tx, first.id));
    expect(next()).toEqual([second.id, other.id]);
    expect(nextEffects(database.reader, scratch.clock.now(), 1)).toMatchObject([{ id: second.id }]);
  });

  test("a newer one of the same kind takes the place of a pending one", () => {
    using scratch = scratchDatabase();
    const { database, tasks, enqueue } = twoTasks(scratch);
    enqueue(0, comment("Started."));
    enqueue(0, push);
    enqueue(0, comment("Done."));
    enqueue(1, comment("Elsewhere."));
    expect(listEffects(database.reader, tasks[0]).map(({ payload, status }) => [payload, status])).toEqual([
      [comment("Started."), "dropped"],
      [push, "pending"],
      [comment("Done."), "pending"],
    ]);
    expect(countPendingEffects(database.reader)).toBe(3);
  });

  test("a failed one waits and holds up those behind it; given up, it lets them go", () => {
    using scratch = scratchDatabase();
    const { database, tasks, enqueue } = twoTasks(scratch);
    const [first, second] = [enqueue(0, push), enqueue(0, comment("Done."))];
    const now = scratch.clock.now();
    const before = lastSequence(database.reader);
    database.writeNow((tx) => failEffect(tx, first.id, { message: "No answer.", nextAt: now + 1000 }));
    expect([nextEffects(database.reader, now, 10), nextEffectAt(database.reader)]).toEqual([[], now + 1000]);
    database.writeNow((tx) => failEffect(tx, first.id, { message: "Refused.", nextAt: null }));
    expect([nextEffects(database.reader, now, 10).map(({ id }) => id), nextEffectAt(database.reader)]).toEqual([[second.id], now]);
    database.writeNow((tx) => completeEffect(tx, second.id, { url: "https://example.org/1" }));
    expect([nextEffectAt(database.reader), countPendingEffects(database.reader)]).toEqual([undefined, 0]);
    expect(listEffects(database.reader, tasks[0]).map(({ status, attempt, lastError }) => [status, attempt, lastError])).toEqual([
      ["failed", 2, "Refused."],
      ["done", 1, null],
    ]);
    expect(eventsAfter(database.reader, before, { limit: 10 }).map(({ type, taskId, data }) => [type, taskId, data])).toEqual([
      ["effect.failed", tasks[0], { kind: "push", message: "No answer.", final: false }],
      ["effect.failed", tasks[0], { kind: "push", message: "Refused.", final: true }],
      ["effect.done", tasks[0], { kind: "comment", url: "https://example.org/1" }],
    ]);
  });

  test("one that was dropped while it was carried out is done when it is done, and failed is nothing to tell", () => {
    using scratch = scratchDatabase();
    const { database, tasks, enqueue } = twoTasks(scratch);
    const [done, failed] = [enqueue(0, push), enqueue(1, push)];
    enqueue(0, push);
    enqueue(1, push);
    database.writeNow((tx) => completeEffect(tx, done.id));
    database.writeNow((tx) => failEffect(tx, failed.id, { message: "No.", nextAt: null }));
    expect(tasks.map((task) => listEffects(database.reader, task).map(({ status }) => status))).toEqual([
      ["done", "pending"],
      ["dropped", "pending"],
    ]);
    expect(() => database.writeNow((tx) => completeEffect(tx, "effect_none"))).toThrow(expect.objectContaining({ code: "not_found" }));
  });

  test("whatever happens, each task's pending effects are done in the order they were asked for", () => {
    const steps = fc.array(
      fc.record({ task: fc.constantFrom(0 as const, 1 as const), what: fc.constantFrom("push", "comment", "done", "failed") }),
      { maxLength: 25 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        using scratch = scratchDatabase();
        const { database, tasks, enqueue } = twoTasks(scratch);
        const done: Effect[] = [];
        for (const { task, what } of all) {
          const [head] = nextEffects(database.reader, scratch.clock.now(), 10).filter(({ taskId }) => taskId === tasks[task]);
          if (what === "push" || what === "comment") enqueue(task, what === "push" ? push : comment("x"));
          else if (head && what === "failed")
            database.writeNow((tx) => failEffect(tx, head.id, { message: "", nextAt: scratch.clock.now() }));
          else if (head) {
            database.writeNow((tx) => completeEffect(tx, head.id));
            done.push(head);
          }
        }
        for (const taskId of tasks) {
          const sequences = done.filter((effect) => effect.taskId === taskId).map(({ sequence }) => sequence);
          expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
          const left = listEffects(database.reader, taskId).filter(({ status }) => status === "pending");
          expect(new Set(left.map(({ payload }) => payload.kind)).size).toBe(left.length);
        }
      }),
      { numRuns: 30 },
    );
  });
});
