import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { TaskStatus } from "../../src/contract/task.ts";
import type { Reader, Transaction } from "../../src/store/database.ts";
import { appendAudit, listAudit } from "../../src/store/audit.ts";
import {
  dequeueBranch,
  enqueueBranch,
  findBranch,
  keepBranch,
  listBranchesToMerge,
  listMergeQueue,
  listOpenBranches,
  moveBranch,
  noteWaiting,
  reopenTask,
  settleBranch,
} from "../../src/store/branches.ts";
import { findCheckResult, saveCheckResult } from "../../src/store/check-results.ts";
import { completeEffect, enqueueEffect, failEffect, listEffects, nextEffectAt, nextEffects } from "../../src/store/effects.ts";
import { appendEvent, changedProjects, eventsAfter, lastSequence, latestEvents } from "../../src/store/events.ts";
import { learnedMemory, openFootprints, recordMemory } from "../../src/store/footprints.ts";
import { findIssueState, recordDelivery, saveIssueState } from "../../src/store/intake.ts";
import { countRunning, latestVirtualTime, listDue, loadShares, nextDueAt } from "../../src/store/queue.ts";
import { listRuns, openRuns } from "../../src/store/runs.ts";
import { countTasks, findTask, insertTask, listTasks, setBranch, setPullRequest } from "../../src/store/tasks.ts";
import { claimTask, finishRun, recordRun, renewLeases, requestCancel, retryTask, stopRequests } from "../../src/store/transitions.ts";
import { addProject, addTask, content, newTask, scratchDatabase, step } from "../support/scratch-database.ts";

/** Tables that grow with what was ever done. */
const GROWING = /^(tasks|task_bodies|task_dependencies|runs|events|audit|effects|issue_states|deliveries|check_results|branches)$/;

describe("what is done all the time costs the same however much was done before", () => {
  test("no such statement, and no trigger that it sets off, walks through a table that grows", () => {
    using scratch = scratchDatabase();
    const statements = recordStatements(scratch);
    using other = new DatabaseSync(scratch.path);
    const walks = [...statements].flatMap((text) => walkedTables(other, text).map((table) => `${table}: ${text}`));
    expect(walks).toEqual([]);
    // Backwards in order of making, and nothing else asked: whatever it finds is wanted.
    const inOrder = [...statements].filter((text) => plan(other, text).some((line) => /PRIMARY KEY \(rowid<\?\)/.test(line)));
    expect(inOrder.filter((text) => !/WHERE (\w+\.)?sequence < :\w+ ORDER BY/.test(text))).toEqual([]);
    expect(statements.size).toBeGreaterThan(40);
  });

  test("the detector sees a walk, in a trigger too", () => {
    using scratch = scratchDatabase();
    using other = new DatabaseSync(scratch.path);
    expect(walkedTables(other, "SELECT count(*) FROM tasks WHERE title = 'x'")).toEqual(["tasks"]);
    other.exec("CREATE TRIGGER slow AFTER INSERT ON settings BEGIN DELETE FROM runs WHERE worker = 1; END");
    expect(walkedTables(other, "INSERT INTO settings VALUES ('a', 'b')")).toEqual(["runs"]);
  });
});

/** Does each thing once and returns the text of every statement that was run. */
function recordStatements({ database, clock }: ReturnType<typeof scratchDatabase>): Set<string> {
  const texts = new Set<string>();
  const note = (text: string) => {
    texts.add(text);
    return text;
  };
  const noting = (source: Reader): Reader => ({
    get: (text, params) => source.get(note(text), params),
    all: (text, params) => source.all(note(text), params),
  });
  const write = <Result>(work: (tx: Transaction) => Result): Result => {
    const done: { result?: Result } = {};
    database.writeNow((tx) => void (done.result = work({ ...tx, ...noting(tx), run: (text, params) => tx.run(note(text), params) })));
    return done.result as Result;
  };
  const project = addProject(database);
  const needed = addTask(database, project.id);
  const task = write((tx) => insertTask(tx, newTask(project.id, { dependsOn: [needed.id] }), { queued: 10 }).task);
  const reader = noting(database.reader);

  const about = { projectId: project.id, taskId: needed.id };
  const claim = {
    taskId: needed.id,
    worker: 1,
    agent: "claude",
    driver: "claude",
    isolation: "process",
    account: "claude",
    leaseMs: 1,
    virtualTime: 1,
  };
  const run = write((tx) => claimTask(tx, claim));
  if (!run) throw new Error("It can't be claimed.");
  write((tx) =>
    recordRun(tx, run, { progress: "working", usage: run.usage, questions: [] }, [{ type: "run.message", ...about, data: { text: "" } }]),
  );
  write((tx) => renewLeases(tx, [run.id], 1));
  write((tx) => recordMemory(tx, run.id, 1));
  write((tx) => setBranch(tx, needed.id, "x"));
  write((tx) => setPullRequest(tx, needed.id, { number: 1, url: "x" }));
  write((tx) => keepBranch(tx, { id: needed.id, projectId: project.id }, { baseCommit: "a", headCommit: "b", isQueued: true }));
  const branch = findBranch(reader, needed.id);
  if (!branch) throw new Error("It has no branch.");
  write((tx) => dequeueBranch(tx, needed.id, ""));
  write((tx) => enqueueBranch(tx, needed.id));
  write((tx) => noteWaiting(tx, branch, ""));
  write((tx) => moveBranch(tx, branch, { baseCommit: "c", headCommit: "b" }));
  write((tx) => finishRun(tx, run, { outcome: content, next: step("failed") }));
  write((tx) => finishRun(tx, run, { outcome: content, next: step("failed") }));
  write((tx) => retryTask(tx, needed.id));
  write((tx) => requestCancel(tx, task.id, { by: "user", actor: "ada", message: "" }));
  const comment = { kind: "comment", issue: 1, body: "", linksPullRequest: false } as const;
  const effect = write((tx) => enqueueEffect(tx, { ...about, epoch: 1, payload: comment }));
  write((tx) => failEffect(tx, effect.id, { message: "", nextAt: 1 }));
  write((tx) => completeEffect(tx, effect.id));
  write((tx) => appendEvent(tx, { type: "daemon.stopped", data: { how: "stop" } }));
  write((tx) => appendAudit(tx, { actor: "ada", action: "x", subject: "x", detail: {} }));
  write((tx) => recordDelivery(tx, project.id, "x"));
  write((tx) => saveIssueState(tx, { ...about, issue: 1, contentHash: "", followUps: 0, open: true, updatedAt: 1 }));
  const result = { exitCode: 0, durationMs: 1, failures: [], outputTail: "" };
  const key = { projectId: project.id, commit: "c0ffee", checkKey: "x" };
  write((tx) => saveCheckResult(tx, { ...key, result }));

  for (const projectId of [undefined, project.id]) {
    listMergeQueue(reader, projectId);
    listBranchesToMerge(reader, projectId);
  }
  listOpenBranches(reader, project.id);
  write((tx) => settleBranch(tx, branch, "left", ""));
  write((tx) => reopenTask(tx, branch, { status: "queued", reason: "", message: "" }));
  const now = clock.now();
  loadShares(reader, now);
  loadShares(reader, now, [project.id]);
  listDue(reader, project.id, now, 10);
  nextDueAt(reader, now);
  countRunning(reader);
  latestVirtualTime(reader);
  countTasks(reader);
  countTasks(reader, project.id);
  findTask(reader, "api#1");
  for (const status of [undefined, ...TaskStatus.options]) {
    for (const projectId of [undefined, project.id]) {
      listTasks(reader, { status, projectId, limit: 1 });
      listTasks(reader, { status, projectId, stage: "implement", after: task.id, limit: 1 });
      listTasks(reader, { status, projectId, recent: true, limit: 1 });
    }
  }
  listRuns(reader, { taskId: needed.id, limit: 1 });
  listRuns(reader, { projectId: project.id, after: run.id, limit: 1 });
  listRuns(reader, { open: true, limit: 1 });
  openRuns(reader);
  openFootprints(reader);
  learnedMemory(reader, project.id);
  stopRequests(reader);
  lastSequence(reader);
  changedProjects(reader, 0);
  eventsAfter(reader, 0, { limit: 1 });
  eventsAfter(reader, 0, { taskId: task.id, limit: 1 });
  latestEvents(reader, { limit: 1 });
  latestEvents(reader, { taskId: task.id, limit: 1 });
  latestEvents(reader, { projectId: project.id, limit: 1 });
  eventsAfter(reader, 0, { projectId: project.id, limit: 1 });
  nextEffects(reader, now, 1);
  nextEffectAt(reader);
  listEffects(reader, task.id);
  listAudit(reader, { limit: 1 });
  findIssueState(reader, project.id, 1);
  findCheckResult(reader, key);
  return texts;
}

/**
 * The growing tables that a statement walks through from one end, by its byte code, which (unlike EXPLAIN QUERY PLAN) has
 * that of its triggers too: cursors on a table or its index that are rewound. A partial index is as small as what it is
 * of, and going to the last row and no further is one step.
 */
function walkedTables(connection: DatabaseSync, text: string): string[] {
  const pages = new Map(
    connection
      .prepare(
        "SELECT rootpage, tbl_name, coalesce(sql, '') LIKE '% WHERE %' AND type = 'index' AS is_partial FROM sqlite_schema WHERE rootpage > 0",
      )
      .all()
      .map((row) => [Number(row["rootpage"]), row["is_partial"] === 1 ? "" : String(row["tbl_name"])]),
  );
  const walked = new Set<string>();
  let cursors = new Map<number, string>();
  for (const { addr, opcode, p1, p2 } of connection.prepare(`EXPLAIN ${text}`).all() as unknown as OpCode[]) {
    // Each trigger's own program begins at address 0 again.
    if (addr === 0) cursors = new Map();
    if (opcode === "OpenRead" || opcode === "OpenWrite") cursors.set(p1, pages.get(p2) ?? "");
    if (opcode === "Rewind") walked.add(cursors.get(p1) ?? "");
  }
  return [...walked].filter((table) => GROWING.test(table));
}

function plan(connection: DatabaseSync, text: string): string[] {
  return connection
    .prepare(`EXPLAIN QUERY PLAN ${text}`)
    .all()
    .map((row) => String(row["detail"]));
}

interface OpCode {
  addr: number;
  opcode: string;
  p1: number;
  p2: number;
}
