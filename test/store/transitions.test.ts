import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Run } from "../../src/contract/run.ts";
import { noUsage } from "../../src/contract/proof.ts";
import { openAlerts, raiseAlert } from "../../src/store/alerts.ts";
import { eventsAfter, lastSequence } from "../../src/store/events.ts";
import { enqueueEffect, listEffects } from "../../src/store/effects.ts";
import { changeProject } from "../../src/store/projects.ts";
import { findRun, getRun, listRuns, openRuns } from "../../src/store/runs.ts";
import { latestVirtualTime, loadShares } from "../../src/store/queue.ts";
import { getTask } from "../../src/store/tasks.ts";
import {
  claimTask,
  clearQueue,
  finishRun,
  recordRun,
  renewLeases,
  requestCancel,
  retryTask,
  setTaskPriority,
  stopRequests,
} from "../../src/store/transitions.ts";
import type { Database } from "../../src/store/database.ts";
import { addProject, addTask, carryOut, content, scratchDatabase, startTask, step } from "../support/scratch-database.ts";

const claim = { worker: 3, agent: "claude", driver: "claude", isolation: "process", account: "claude", leaseMs: 30_000, virtualTime: 2.5 };
const failure = { status: "failed", reason: "agent_error", message: "It crashed.", proof: null, retryAt: null } as const;
const push = { kind: "push", branch: "drover/1", commit: "c0ffee" } as const;

function history(database: Database, after: number) {
  return eventsAfter(database.reader, after, { limit: 100 }).map(({ type, data }) => [type, data]);
}

describe("a priority", () => {
  test("is changed while the task has not ended, and told", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const project = addProject(database);
    const { id } = addTask(database, project.id);
    const before = lastSequence(database.reader);
    expect(database.writeNow((tx) => setTaskPriority(tx, id, 80, "cli"))).toMatchObject({ id, priority: 80 });
    expect(history(database, before)).toEqual([["task.changed", { priority: 80, by: "cli" }]]);
    database.writeNow((tx) => requestCancel(tx, id, { by: "user", actor: "cli", message: "No." }));
    expect(() => database.writeNow((tx) => setTaskPriority(tx, id, 10, "cli"))).toThrow("api#1 has ended: it is cancelled.");
  });
});

describe("a claim", () => {
  test("opens a run, raises epoch and attempt, and sets the project's virtual time", () => {
    using scratch = scratchDatabase();
    const { database, clock } = scratch;
    const project = addProject(database);
    const task = addTask(database, project.id);
    const before = lastSequence(database.reader);
    clock.advance(5000);
    const now = clock.now();
    const run = database.writeNow((tx) => claimTask(tx, { ...claim, taskId: task.id }));
    expect(Run.parse(run)).toEqual({
      id: run?.id,
      taskId: task.id,
      taskKey: "api#1",
      projectId: project.id,
      stage: "implement",
      attempt: 1,
      iteration: 1,
      epoch: 1,
      worker: 3,
      agent: "claude",
      kind: "worker",
      driver: "claude",
      isolation: "process",
      progress: "preparing",
      state: null,
      outcome: null,
      leaseExpiresAt: now + 30_000,
      process: null,
      sessionId: null,
      resumesSessionId: null,
      baseCommit: null,
      questions: [],
      usage: noUsage,
      outputOffset: 0,
      startedAt: now,
      finishedAt: null,
      progressAt: now,
    });
    expect(getTask(database.reader, task.id)).toMatchObject({
      status: "running",
      reason: null,
      epoch: 1,
      attempt: 1,
      startedAt: now,
      updatedAt: now,
    });
    expect(latestVirtualTime(database.reader)).toBe(2.5);
    expect(history(database, before)).toEqual([
      ["task.status_changed", { from: "queued", to: "running", reason: null, message: null }],
      ["run.started", { attempt: 1, agent: "claude", worker: 3, stage: "implement", iteration: 1, handedOverFrom: null }],
    ]);
    expect([openRuns(database.reader), findRun(database.reader, "run_none")]).toEqual([[run], undefined]);
  });

  test("is had once, not before its time, and not from a disabled project", () => {
    using scratch = scratchDatabase();
    const { database, clock } = scratch;
    const project = addProject(database);
    const task = addTask(database, project.id);
    const tryClaim = () => database.writeNow((tx) => claimTask(tx, { ...claim, taskId: task.id })) !== undefined;
    database.writeNow((tx) => changeProject(tx, project.id, { enabled: false }));
    expect(tryClaim()).toBe(false);
    database.writeNow((tx) => changeProject(tx, project.id, { enabled: true }));
    expect([tryClaim(), tryClaim()]).toEqual([true, false]);
    const [run] = openRuns(database.reader);
    const next = step("queued", { reason: "retry", runAfter: clock.now() + 10_000 });
    database.writeNow((tx) => run && finishRun(tx, run, { outcome: failure, next }));
    expect(tryClaim()).toBe(false);
    clock.advance(10_000);
    expect(tryClaim()).toBe(true);
  });
});

describe("the end of a run", () => {
  test("moves its task on, and stores the effects with it", () => {
    using scratch = scratchDatabase();
    const { database, clock } = scratch;
    const task = addTask(database, addProject(database).id);
    const run = startTask(database, task.id);
    const before = lastSequence(database.reader);
    clock.advance(60_000);
    const next = step("succeeded", { effects: [push] });
    expect(database.writeNow((tx) => finishRun(tx, run, { outcome: content, next }))).toBe(true);
    expect(getRun(database.reader, run.id)).toEqual({ ...run, outcome: content, finishedAt: clock.now() });
    expect(getTask(database.reader, task.id)).toMatchObject({ status: "succeeded", finishedAt: clock.now(), attempt: 1 });
    expect(listEffects(database.reader, task.id)).toMatchObject([{ payload: push, status: "pending", epoch: 1 }]);
    expect(history(database, before)).toEqual([
      ["run.ended", { outcome: content }],
      ["task.status_changed", { from: "running", to: "succeeded", reason: null, message: null }],
    ]);
  });

  test("queues the task again with its wait, its session, and the attempt used or kept", () => {
    using scratch = scratchDatabase();
    const { database, clock } = scratch;
    const task = addTask(database, addProject(database).id);
    const end = (keepsAttempt: boolean) => {
      const run = startTask(database, task.id);
      const next = step("queued", {
        reason: "overloaded",
        message: "Later.",
        runAfter: clock.now() + 1000,
        keepsAttempt,
        resumeSessionId: "s-1",
      });
      database.writeNow((tx) => finishRun(tx, run, { outcome: failure, next }));
      const { status, reason, message, attempt, runAfter } = getTask(database.reader, task.id);
      expect({ status, reason, message, runAfter }).toEqual({
        status: "queued",
        reason: "overloaded",
        message: "Later.",
        runAfter: clock.now() + 1000,
      });
      clock.advance(1000);
      return attempt;
    };
    expect([end(false), end(true), end(false)]).toEqual([1, 1, 2]);
    const runs = listRuns(database.reader, { taskId: task.id, limit: 10 });
    expect(runs.map(({ attempt, epoch, resumesSessionId }) => [attempt, epoch, resumesSessionId])).toEqual([
      [2, 3, "s-1"],
      [2, 2, "s-1"],
      [1, 1, null],
    ]);
  });
});

describe("a write of a run that is no longer the task's", () => {
  test("is refused, changes nothing, and is put on record", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const task = addTask(database, addProject(database).id);
    const stale = startTask(database, task.id);
    database.writeNow((tx) => finishRun(tx, stale, { outcome: failure, next: step("queued", { reason: "retry" }) }));
    const current = startTask(database, task.id);
    const rows = () => [
      getTask(database.reader, task.id),
      getRun(database.reader, stale.id),
      getRun(database.reader, current.id),
      listEffects(database.reader, task.id),
    ];
    const before = [rows(), lastSequence(database.reader)] as const;
    const attempts = [
      () => database.writeNow((tx) => finishRun(tx, stale, { outcome: content, next: step("succeeded", { effects: [push] }) })),
      () =>
        database.writeNow((tx) =>
          recordRun(tx, stale, { progress: "verifying", usage: { ...noUsage, inputTokens: 5 } }, [
            { type: "run.message", data: { text: "x" } },
          ]),
        ),
      () => database.writeNow((tx) => recordRun(tx, { id: current.id, epoch: 1 }, { sessionId: "s" })),
    ];
    expect(attempts.map((attempt) => attempt())).toEqual([false, false, false]);
    expect(rows()).toEqual(before[0]);
    expect(history(database, before[1])).toEqual([
      ["write.refused", { what: "finish run", epoch: 1, current: 2 }],
      ["write.refused", { what: "record run", epoch: 1, current: 2 }],
      ["write.refused", { what: "record run", epoch: 1, current: 2 }],
    ]);
    expect(() => database.writeNow((tx) => tx.run("UPDATE runs SET worker = 9 WHERE id = :id", { id: stale.id }))).toThrow("never changes");
  });

  test("drops what it meant to push, but not its comment", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const task = addTask(database, addProject(database).id);
    const comment = { kind: "comment", issue: 1, body: "Working on it.", linksPullRequest: false } as const;
    const run = startTask(database, task.id);
    database.writeNow((tx) => finishRun(tx, run, { outcome: failure, next: step("queued", { effects: [push, comment] }) }));
    startTask(database, task.id);
    expect(listEffects(database.reader, task.id).map(({ payload, status }) => [payload.kind, status])).toEqual([
      ["push", "dropped"],
      ["comment", "pending"],
    ]);
  });
});

describe("what is noted of an open run", () => {
  test("is kept, with its events; a question shows on its task", () => {
    using scratch = scratchDatabase();
    const { database, clock } = scratch;
    const task = addTask(database, addProject(database).id);
    const run = startTask(database, task.id);
    const question = { id: "q-1", tool: "Bash", input: "{}", askedAt: clock.now() };
    const change = {
      progress: "working",
      process: { bootId: "b", pid: 7, startTime: "1" },
      sessionId: "s-1",
      baseCommit: "c0ffee",
      questions: [question],
      outputOffset: 99,
      progressAt: clock.now(),
    } as const;
    const before = lastSequence(database.reader);
    const event = { type: "run.question_asked", runId: run.id, data: { id: "q-1", tool: "Bash", input: "{}" } } as const;
    expect(database.writeNow((tx) => recordRun(tx, run, { ...change, questions: [question] }, [event]))).toBe(true);
    expect(getRun(database.reader, run.id)).toEqual({ ...run, ...change });
    expect(history(database, before)).toEqual([["run.question_asked", event.data]]);
    expect(getTask(database.reader, task.id)).toMatchObject({ status: "running", reason: "question" });
    database.writeNow((tx) => recordRun(tx, run, { questions: [] }));
    expect(getTask(database.reader, task.id).reason).toBeNull();
  });

  test("usage of all its runs adds up on the task, whatever each says and however often", () => {
    const usage = fc.record({
      inputTokens: fc.nat(1000),
      outputTokens: fc.nat(1000),
      cacheReadTokens: fc.nat(1000),
      costUsdMicros: fc.option(fc.nat(1000)),
    });
    fc.assert(
      fc.property(fc.array(fc.array(usage, { maxLength: 4 }), { minLength: 1, maxLength: 4 }), (runs) => {
        using scratch = scratchDatabase();
        const { database } = scratch;
        const task = addTask(database, addProject(database).id);
        for (const reports of runs) {
          const run = startTask(database, task.id);
          for (const report of reports) database.writeNow((tx) => recordRun(tx, run, { usage: report }));
          database.writeNow((tx) => finishRun(tx, run, { outcome: failure, next: step("queued") }));
        }
        const last = runs.flatMap((reports) => reports.slice(-1));
        const sum = (of: (one: typeof noUsage) => number) => last.reduce((total, one) => total + of(one), 0);
        const costs = runs.flatMap((reports) => reports.map((one) => one.costUsdMicros));
        const { costUsdMicros, ...tokens } = getTask(database.reader, task.id).usage;
        expect(tokens).toEqual({
          inputTokens: sum((one) => one.inputTokens),
          outputTokens: sum((one) => one.outputTokens),
          cacheReadTokens: sum((one) => one.cacheReadTokens),
        });
        expect(costUsdMicros === null).toBe(costs.every((cost) => cost === null));
      }),
      { numRuns: 25 },
    );
  });

  test("a heartbeat renews the leases of open runs only", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const { id } = addProject(database);
    const ended = carryOut(database, addTask(database, id).id);
    const open = startTask(database, addTask(database, id).id);
    database.writeNow((tx) => renewLeases(tx, [ended.id, open.id], 9e12));
    expect([ended, open].map((run) => getRun(database.reader, run.id).leaseExpiresAt)).toEqual([ended.leaseExpiresAt, 9e12]);
  });
});

describe("cancelling", () => {
  const cancel = { by: "source", actor: "github:octocat", message: "The issue was closed." } as const;

  test("a task that does not run is cancelled at once, one that runs by its runner, one that has ended not at all", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const { id } = addProject(database);
    const [draft, queued, running] = [addTask(database, id, { draft: true }), addTask(database, id), addTask(database, id)];
    const run = startTask(database, running.id);
    const asked = [draft, queued, running].map((task) => database.writeNow((tx) => requestCancel(tx, task.id, cancel)));
    expect(asked.map(({ status, reason, message }) => [status, reason, message])).toEqual([
      ["cancelled", "source", "The issue was closed."],
      ["cancelled", "source", "The issue was closed."],
      ["running", null, null],
    ]);
    expect(stopRequests(database.reader)).toEqual([{ runId: run.id, by: "source", message: "The issue was closed." }]);
    database.writeNow((tx) => requestCancel(tx, running.id, { ...cancel, by: "user" }));
    expect(stopRequests(database.reader)).toMatchObject([{ by: "source" }]);
    database.writeNow((tx) => finishRun(tx, run, { outcome: { status: "cancelled", by: "source", message: "" }, next: step("cancelled") }));
    expect(stopRequests(database.reader)).toEqual([]);
    expect(() => database.writeNow((tx) => requestCancel(tx, running.id, cancel))).toThrow(expect.objectContaining({ code: "conflict" }));
  });

  test("nobody is asked any more to approve what was cancelled", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const task = addTask(database, addProject(database).id);
    database.writeNow((tx) => raiseAlert(tx, { kind: "approval_wanted", subject: task.key, message: "Approve it." }));
    database.writeNow((tx) => requestCancel(tx, task.id, cancel));
    expect(openAlerts(database.reader, "approval_wanted")).toEqual([]);
  });

  test("clearing the queue cancels what is queued and nothing else", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const { id } = addProject(database);
    const [draft, first, running] = [addTask(database, id, { draft: true }), addTask(database, id), addTask(database, id)];
    const needing = addTask(database, id, { dependsOn: [first.id] });
    startTask(database, running.id);
    addTask(database, id);
    const before = lastSequence(database.reader);
    expect(database.writeNow((tx) => clearQueue(tx, "ada"))).toBe(2);
    expect([draft, first, running, needing].map((task) => getTask(database.reader, task.id).status)).toEqual([
      "draft",
      "cancelled",
      "running",
      "blocked",
    ]);
    expect(history(database, before).at(-1)).toEqual(["queue.cleared", { by: "ada", count: 2 }]);
    expect(loadShares(database.reader, scratch.clock.now())).toEqual([]);
  });
});

describe("wanting a task again", () => {
  test("queues a draft, or what failed or was cancelled, with all attempts before it", () => {
    using scratch = scratchDatabase();
    const { database, clock } = scratch;
    const { id } = addProject(database);
    const [draft, failed, done] = [addTask(database, id, { draft: true }), addTask(database, id), addTask(database, id)];
    const run = startTask(database, failed.id);
    const next = step("failed", { reason: "agent_error", message: "It crashed.", runAfter: clock.now() + 1e6, resumeSessionId: "s-1" });
    database.writeNow((tx) => finishRun(tx, run, { outcome: failure, next }));
    carryOut(database, done.id);
    clock.advance(1000);
    for (const task of [draft, failed]) database.writeNow((tx) => retryTask(tx, task.id));
    const clean = { status: "queued", reason: null, message: null, attempt: 0, runAfter: clock.now(), finishedAt: null };
    expect([draft, failed].map((task) => getTask(database.reader, task.id))).toMatchObject([clean, clean]);
    expect(startTask(database, failed.id)).toMatchObject({ attempt: 1, epoch: 2, resumesSessionId: null });
    for (const task of [draft, failed, done]) {
      expect(() => database.writeNow((tx) => retryTask(tx, task.id))).toThrow(expect.objectContaining({ code: "conflict" }));
    }
  });
});

test("a task's attempts are its runs, three after two retries, with times and outcomes", () => {
  using scratch = scratchDatabase();
  const { database, clock } = scratch;
  const task = addTask(database, addProject(database).id);
  for (const next of [step("queued"), step("queued"), step("succeeded")]) {
    const run = startTask(database, task.id);
    clock.advance(1000);
    database.writeNow((tx) => finishRun(tx, run, { outcome: next.status === "queued" ? failure : content, next }));
  }
  const runs = listRuns(database.reader, { taskId: task.id, limit: 2 });
  const older = listRuns(database.reader, { taskId: task.id, limit: 2, after: runs[1]?.id });
  expect(
    [...runs, ...older].map(({ attempt, outcome, startedAt, finishedAt }) => [attempt, outcome?.status, (finishedAt ?? 0) - startedAt]),
  ).toEqual([
    [3, "no_change", 1000],
    [2, "failed", 1000],
    [1, "failed", 1000],
  ]);
  expect(listRuns(database.reader, { open: true, limit: 9 })).toEqual([]);
  expect(listRuns(database.reader, { open: false, projectId: task.projectId, limit: 9 })).toHaveLength(3);
});

test("an effect of a task that was never claimed keeps its place", () => {
  using scratch = scratchDatabase();
  const { database } = scratch;
  const task = addTask(database, addProject(database).id);
  const comment = { kind: "comment", issue: 1, body: "Taken in.", linksPullRequest: false } as const;
  database.writeNow((tx) => enqueueEffect(tx, { projectId: task.projectId, taskId: task.id, epoch: 0, payload: comment }));
  startTask(database, task.id);
  expect(listEffects(database.reader, task.id)).toMatchObject([{ status: "pending", payload: comment }]);
});
