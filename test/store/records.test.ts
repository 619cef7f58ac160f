import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { Alert, AuditEntry, Event } from "../../src/contract/event.ts";
import { countOpenAlerts, listAlerts, raiseAlert, resolveAlerts } from "../../src/store/alerts.ts";
import { appendAudit, listAudit } from "../../src/store/audit.ts";
import { findCheckResult, saveCheckResult } from "../../src/store/check-results.ts";
import { appendEvent, changedProjects, eventsAfter, lastSequence, latestEvents } from "../../src/store/events.ts";
import { findIssueState, issueCursor, recordDelivery, saveIssueCursor, saveIssueState } from "../../src/store/intake.ts";
import { isPaused, setPaused } from "../../src/store/settings.ts";
import { addProject, addTask, scratchDatabase } from "../support/scratch-database.ts";

describe("events", () => {
  test("are numbered without gaps, also where works were undone between them", async () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const append = (fails: boolean) =>
      database.write((tx) => {
        const sequence = appendEvent(tx, { type: "daemon.stopped", data: { how: "stop" } });
        if (fails) throw new Error("undone");
        return sequence;
      });
    const settled = await Promise.allSettled([append(false), append(true), append(false), append(true)]);
    expect(settled.map((one) => (one.status === "fulfilled" ? one.value : "undone"))).toEqual([1, "undone", 2, "undone"]);
    expect(await append(false)).toBe(3);
    expect(lastSequence(database.reader)).toBe(3);
  });

  test("are read behind a sequence, of a project or a task, as the contract has them", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const [api, web] = [addProject(database), addProject(database, { name: "web" })];
    const task = addTask(database, web.id);
    database.writeNow((tx) => appendEvent(tx, { type: "issue.ignored", projectId: api.id, data: { issue: 3, reason: "no label" } }));
    const types = (after: number, filter = {}) =>
      eventsAfter(database.reader, after, { ...filter, limit: 10 }).map((event) => Event.parse(event).type);
    expect(types(0)).toEqual(["project.registered", "project.registered", "task.created", "issue.ignored"]);
    expect(types(2)).toEqual(["task.created", "issue.ignored"]);
    expect(types(0, { projectId: api.id })).toEqual(["project.registered", "issue.ignored"]);
    expect(types(0, { taskId: task.id })).toEqual(["task.created"]);
    expect(eventsAfter(database.reader, 0, { limit: 2 })).toHaveLength(2);
    const all = eventsAfter(database.reader, 0, { limit: 100 });
    expect(latestEvents(database.reader, { limit: 2 })).toEqual(all.slice(-2));
    expect([changedProjects(database.reader, 2), changedProjects(database.reader, 4)]).toEqual([
      // The other event is an ignored issue: it changes no queue.
      { projectIds: [task.projectId], sequence: 4 },
      { projectIds: [], sequence: 4 },
    ]);
  });

  test("and the audit log can't be changed or shortened by any program", () => {
    using scratch = scratchDatabase();
    addProject(scratch.database);
    scratch.database.writeNow((tx) => appendAudit(tx, { actor: "ada", action: "x", subject: "y", detail: {} }));
    using other = new DatabaseSync(scratch.path);
    for (const table of ["events", "audit"]) {
      expect(() => other.exec(`UPDATE ${table} SET at = 0`)).toThrow(/never changed/);
      expect(() => other.exec(`DELETE FROM ${table}`)).toThrow(/never (removed|shortened)/);
    }
  });
});

test("the audit log says who did what, the newest first", () => {
  using scratch = scratchDatabase();
  const { database, clock } = scratch;
  for (const action of ["task.create", "task.cancel", "queue.pause"]) {
    database.writeNow((tx) => appendAudit(tx, { actor: "cli", action, subject: "api#1", detail: { why: ["a", 1] } }));
  }
  const entry = (sequence: number, action: string) => ({
    sequence,
    at: clock.now(),
    actor: "cli",
    action,
    subject: "api#1",
    detail: { why: ["a", 1] },
  });
  const page = (after?: number) => listAudit(database.reader, { after, limit: 2 }).map((one) => AuditEntry.parse(one));
  expect([page(), page(2)]).toEqual([[entry(3, "queue.pause"), entry(2, "task.cancel")], [entry(1, "task.create")]]);
});

test("an alert is open once per kind and subject, counts its repeats, and is resolved for good", () => {
  using scratch = scratchDatabase();
  const { database, clock } = scratch;
  const { id: projectId } = addProject(database);
  const raise = (kind: string, message: string) => database.writeNow((tx) => raiseAlert(tx, { kind, subject: "api", message, projectId }));
  const first = clock.now();
  raise("poll_failed", "No answer.");
  clock.advance(1000);
  raise("poll_failed", "Refused.");
  raise("disk_full", "Full.");
  const open = listAlerts(database.reader, { open: true, limit: 10 }).map((one) => Alert.parse(one));
  const alert = {
    kind: "poll_failed",
    subject: "api",
    message: "Refused.",
    count: 2,
    projectId,
    taskId: null,
    raisedAt: first,
    lastAt: clock.now(),
    resolvedAt: null,
  };
  expect(open).toEqual([expect.objectContaining({ kind: "disk_full", count: 1 }), { id: open[1]?.id, ...alert }]);
  expect(listAlerts(database.reader, { open: true, after: open[0]?.id, limit: 10 })).toHaveLength(1);
  database.writeNow((tx) => resolveAlerts(tx, "poll_failed", "api"));
  database.writeNow((tx) => resolveAlerts(tx, "poll_failed", "api"));
  expect(countOpenAlerts(database.reader)).toBe(1);
  raise("poll_failed", "Again.");
  expect(listAlerts(database.reader, { open: false, limit: 10 }).map(({ kind, count, resolvedAt }) => [kind, count, resolvedAt])).toEqual([
    ["poll_failed", 1, null],
    ["disk_full", 1, null],
    ["poll_failed", 2, clock.now()],
  ]);
  expect(eventsAfter(database.reader, 1, { limit: 10 }).map(({ type }) => type)).toEqual([
    "alert.raised",
    "alert.raised",
    "alert.resolved",
    "alert.raised",
  ]);
});

test("the queue stays paused over a restart, and says so once", () => {
  using scratch = scratchDatabase();
  const { database } = scratch;
  for (const paused of [true, true]) database.writeNow((tx) => setPaused(tx, paused, "ada"));
  database.close();
  const again = scratch.reopen();
  expect(isPaused(again.reader)).toBe(true);
  again.writeNow((tx) => setPaused(tx, false, "bob"));
  expect([isPaused(again.reader), eventsAfter(again.reader, 0, { limit: 10 }).map(({ type, data }) => [type, data])]).toEqual([
    false,
    [
      ["queue.paused", { by: "ada" }],
      ["queue.resumed", { by: "bob" }],
    ],
  ]);
});

describe("intake", () => {
  test("remembers where to poll from and what became of each issue", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const { id: projectId } = addProject(database);
    const task = addTask(database, projectId);
    expect([issueCursor(database.reader, projectId), findIssueState(database.reader, projectId, 42)]).toEqual([null, undefined]);
    for (const cursor of ["a", "b"]) database.writeNow((tx) => saveIssueCursor(tx, projectId, cursor));
    const state = { projectId, issue: 42, contentHash: "h", taskId: null, followUps: 0, open: true, updatedAt: 1 };
    database.writeNow((tx) => saveIssueState(tx, state));
    const newer = { ...state, taskId: task.id, followUps: 1, open: false };
    database.writeNow((tx) => saveIssueState(tx, newer));
    expect([issueCursor(database.reader, projectId), findIssueState(database.reader, projectId, 42)]).toEqual(["b", newer]);
  });

  test("knows the last 10,000 deliveries", () => {
    using scratch = scratchDatabase();
    const { database } = scratch;
    const [api, web] = [addProject(database).id, addProject(database, { name: "web" }).id];
    const deliver = (id: string, project = api) => database.writeNow((tx) => recordDelivery(tx, project, id));
    expect([deliver("first"), deliver("first"), deliver("first", web)]).toEqual([true, false, true]);
    database.writeNow((tx) => {
      for (let index = 0; index < 9_999; index += 1) recordDelivery(tx, api, `d-${index}`);
    });
    expect(database.reader.get("SELECT count(*) AS count FROM deliveries")).toEqual({ __proto__: null, count: 10_000 });
    expect([deliver("d-0"), deliver("first")]).toEqual([false, true]);
  });
});

test("a check's result is found by project, commit and key, and forgotten after 30 days", () => {
  using scratch = scratchDatabase();
  const { database, clock } = scratch;
  const key = { projectId: addProject(database).id, commit: "c0ffee", checkKey: "k" };
  const result = { exitCode: 1, durationMs: 20, failures: ["a > b"], outputTail: "1 failed" };
  database.writeNow((tx) => saveCheckResult(tx, { ...key, result: { ...result, exitCode: null } }));
  database.writeNow((tx) => saveCheckResult(tx, { ...key, result }));
  expect(findCheckResult(database.reader, key)).toEqual(result);
  expect(findCheckResult(database.reader, { ...key, commit: "other" })).toBeUndefined();
  clock.advance(31 * 24 * 3600 * 1000);
  database.writeNow((tx) => saveCheckResult(tx, { ...key, commit: "newer", result }));
  expect(findCheckResult(database.reader, key)).toBeUndefined();
});
