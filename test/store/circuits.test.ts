import { expect, test } from "vitest";
import type { Run } from "../../src/contract/run.ts";
import { beginTrial, closedBreaker, open, settle } from "../../src/domain/breaker.ts";
import { freshAccount, noteOverload, noteUsageLimit } from "../../src/domain/governor.ts";
import { accountOfRun, findAccount, loadAccounts, releaseAccount, runningByAccount, saveAccount } from "../../src/store/accounts.ts";
import { listAlerts } from "../../src/store/alerts.ts";
import { findCircuit, loadCircuits, saveCircuit, shownState, summarizeCircuits } from "../../src/store/circuits.ts";
import type { Database } from "../../src/store/database.ts";
import { latestEvents } from "../../src/store/events.ts";
import { listDue, loadShares } from "../../src/store/queue.ts";
import { expectedCost, spending, spentOn } from "../../src/store/spending.ts";
import { getTask } from "../../src/store/tasks.ts";
import { claimTask, finishRun, recordRun } from "../../src/store/transitions.ts";
import { dayOf } from "../../src/domain/day.ts";
import { addProject, addTask, content, scratchDatabase, startTask, step } from "../support/scratch-database.ts";

const limits = { failures: 1, coolDownMs: 60_000, coolDownMaxMs: 600_000 };

test("a breaker outlives the process; each change of state is an event, and one that is open an alert", () => {
  using scratch = scratchDatabase();
  const { database, clock } = scratch;
  const run = startTask(database, addTask(database, addProject(database).id).id);
  const now = clock.now();
  const opened = open({ ...closedBreaker, failures: 1 }, limits, now);
  database.writeNow((tx) => saveCircuit(tx, "worker:claude", opened, "auth: no key"));
  expect(listAlerts(database.reader, { open: true, limit: 9 })).toMatchObject([{ kind: "circuit_open", subject: "worker:claude" }]);
  const next = scratch.reopen();
  expect(findCircuit(next.reader, "worker:claude")).toEqual({ ...opened, message: "auth: no key" });
  expect(shownState(opened, now + 60_000)).toBe("half_open");
  expect(summarizeCircuits(next.reader, ["system", "worker:claude"], now)).toEqual({ closed: 1, open: 1, halfOpen: 0 });

  const trial = beginTrial(opened, run.id);
  next.writeNow((tx) => saveCircuit(tx, "worker:claude", trial, "auth: no key"));
  expect(findCircuit(next.reader, "worker:claude")).toMatchObject({ state: "half_open", trial: run.id });
  next.writeNow((tx) => saveCircuit(tx, "worker:claude", settle(trial, run.id, "success", limits, now), null));
  expect(findCircuit(next.reader, "worker:claude")).toEqual({ ...closedBreaker, message: null });
  expect(listAlerts(next.reader, { open: true, limit: 9 })).toEqual([]);
  expect(changes(next)).toEqual([
    { circuit: "worker:claude", from: "closed", to: "open", openUntil: now + 60_000, message: "auth: no key" },
    { circuit: "worker:claude", from: "open", to: "half_open", openUntil: null, message: "auth: no key" },
    { circuit: "worker:claude", from: "half_open", to: "closed", openUntil: null, message: null },
  ]);
});

test("a trial whose run has ended without a word gives its place to another", () => {
  using scratch = scratchDatabase();
  const { database } = scratch;
  const run = startTask(database, addTask(database, addProject(database).id).id);
  database.writeNow((tx) => saveCircuit(tx, "system", beginTrial(closedBreaker, run.id), null));
  database.writeNow((tx) => finishRun(tx, run, { outcome: content, next: step("succeeded") }));
  expect(loadCircuits(database.reader).get("system")).toMatchObject({ state: "half_open", trial: null });
});

test.each([
  ["open for no time", "INSERT INTO circuits VALUES ('system', 'open', 1, 1, NULL, NULL, NULL)"],
  ["of a level that is none", "INSERT INTO circuits VALUES ('project:api', 'closed', 0, 0, NULL, NULL, NULL)"],
  ["of no agent", "INSERT INTO circuits VALUES ('worker:', 'closed', 0, 0, NULL, NULL, NULL)"],
  ["closed with a trial", "INSERT INTO circuits SELECT 'system', 'closed', 0, 0, NULL, id, NULL FROM runs"],
])("the database takes no circuit that is %s", (_, sql) => {
  using scratch = scratchDatabase();
  startTask(scratch.database, addTask(scratch.database, addProject(scratch.database).id).id);
  expect(() => scratch.database.writeNow((tx) => tx.run(sql))).toThrow("CHECK");
});

test("an account keeps its limits; forgetting them lets start what waited for it, and nothing else", () => {
  using scratch = scratchDatabase();
  const { database, clock } = scratch;
  const { id: projectId } = addProject(database);
  const [limited, other] = [addTask(database, projectId), addTask(database, projectId)];
  const run = startTask(database, limited.id);
  expect([accountOfRun(database.reader, run.id), [...runningByAccount(database.reader)]]).toEqual(["claude", [["claude", 1]]]);
  const resetAt = clock.now() + 3_600_000;
  const state = noteOverload(
    noteUsageLimit(freshAccount, resetAt, clock.now(), () => 0),
    4,
    clock.now(),
    () => 0,
  );
  database.writeNow((tx) => saveAccount(tx, "claude", { ...state, message: "usage_limit: no more" }));
  database.writeNow((tx) => finishRun(tx, run, { outcome: content, next: step("queued", { reason: "usage_limit", runAfter: resetAt }) }));
  const later = startTask(database, other.id);
  database.writeNow((tx) => finishRun(tx, later, { outcome: content, next: step("queued", { reason: "agent_error", runAfter: resetAt }) }));
  expect([...loadAccounts(scratch.reopen().reader)]).toEqual([["claude", { ...state, message: "usage_limit: no more" }]]);

  database.writeNow((tx) => releaseAccount(tx, "claude"));
  expect(findAccount(database.reader, "claude")).toEqual({ ...freshAccount, message: null });
  expect([limited, other].map(({ id }) => getTask(database.reader, id).runAfter)).toEqual([clock.now(), resetAt]);
  expect(latestEvents(database.reader, { limit: 50 }).filter(({ type }) => type === "account.changed")).toHaveLength(2);
});

test("a session is gone on with by its own agent; another one begins its own, and the start says from whom it took over", () => {
  using scratch = scratchDatabase();
  const { database } = scratch;
  const task = addTask(database, addProject(database).id);
  const park = (run: Run) =>
    database.writeNow((tx) =>
      finishRun(tx, run, { outcome: content, next: step("queued", { resumeSessionId: "s-1", keepsAttempt: true }) }),
    );
  const claimBy = (agent: string) => {
    const claim = { taskId: task.id, worker: 1, agent, driver: "d", isolation: "process", account: "", leaseMs: 1, virtualTime: 1 };
    const run = database.writeNow((tx) => claimTask(tx, claim));
    if (!run) throw new Error("It can't be claimed.");
    return run;
  };
  park(claimBy("claude"));
  expect(lanes(database, task.projectId)).toEqual([
    { workflow: "issue", workflowId: null, stage: "implement", sessionAgent: "claude", needs: [] },
  ]);
  const second = claimBy("claude");
  park(second);
  const third = claimBy("codex");
  expect([second, third].map(({ resumesSessionId, attempt }) => [resumesSessionId, attempt])).toEqual([
    ["s-1", 1],
    [null, 1],
  ]);
  const starts = latestEvents(database.reader, { limit: 50 }).filter(({ type }) => type === "run.started");
  expect(starts.map(({ data }) => (data as { handedOverFrom?: string | null }).handedOverFrom)).toEqual([null, null, "claude"]);
});

test("the first tasks of each lane are found, however many tasks of another lane stand before them", () => {
  using scratch = scratchDatabase();
  const { database, clock } = scratch;
  const { id: projectId } = addProject(database);
  for (let index = 0; index < 20; index += 1) addTask(database, projectId, { priority: 90 });
  const plan = addTask(database, projectId, { workflow: "issue-plan", stage: "plan", priority: 10 });
  const [share] = loadShares(database.reader, clock.now());
  expect(share?.lanes.map(({ lane, heads }) => [lane.stage, heads.length])).toEqual([
    ["plan", 1],
    ["implement", 1],
  ]);
  expect(listDue(database.reader, projectId, clock.now(), 5)[0]?.heads.map(({ taskId }) => taskId)).toEqual([plan.id]);
});

test("what agents cost is added up by project and day, and tells what the next run may cost", () => {
  using scratch = scratchDatabase();
  const { database, clock } = scratch;
  const [api, web] = ["api", "web"].map((name) => addProject(database, { name }).id);
  if (!api || !web) throw new Error("There are two projects.");
  expect(expectedCost(database.reader, api)).toBe(Infinity);
  const run = startTask(database, addTask(database, api).id);
  const use = (costUsdMicros: number | null) =>
    database.writeNow((tx) =>
      recordRun(tx, run, {
        process: { bootId: "b", pid: 1, startTime: "1" },
        usage: { inputTokens: 10, outputTokens: 5, cacheReadTokens: 100, costUsdMicros },
      }),
    );
  use(null);
  use(300);
  use(500);
  const today = dayOf(clock.now());
  const expected = (projectId: string) => (projectId === api ? 800 : Infinity);
  expect(spending(database.reader, today, undefined, expected)).toEqual({ spent: 500, reserved: 300, open: 1 });
  expect(spending(database.reader, today, web, expected)).toEqual({ spent: 0, reserved: 0, open: 0 });
  expect(database.reader.all("SELECT tokens, cost_usd_micros FROM spending")).toEqual([{ tokens: 15, cost_usd_micros: 500 }]);
  database.writeNow((tx) => finishRun(tx, run, { outcome: content, next: step("succeeded") }));
  expect([expectedCost(database.reader, api), expectedCost(database.reader, web)]).toEqual([500, Infinity]);

  clock.advance(25 * 3_600_000);
  expect([spentOn(database.reader, dayOf(clock.now())), spentOn(database.reader, today)]).toEqual([0, 500]);
});

function changes(database: Database): unknown[] {
  return latestEvents(database.reader, { limit: 100 }).flatMap(({ type, data }) => (type === "circuit.changed" ? [data] : []));
}

function lanes(database: Database, projectId: Parameters<typeof listDue>[1]) {
  return listDue(database.reader, projectId, database.now, 1).map(({ lane }) => lane);
}
