import { describe, expect, test } from "vitest";
import type { Database } from "../../src/store/database.ts";
import { countOpenAlerts, listAlerts } from "../../src/store/alerts.ts";
import { TellerWorld } from "../support/teller-world.ts";

const GATHER_MS = 10_000;
const HOUR_MS = 3_600_000;

describe("alerts of one kind within a while", () => {
  test("are one message: 100 equal ones count up", async () => {
    await using world = await TellerWorld.open();
    for (let times = 0; times < 100; times += 1) world.raise();
    await world.teller.runOnce();
    expect(world.double.requests).toEqual([]);
    await world.after(GATHER_MS);
    const [alert] = listAlerts(world.scratch.database.reader, { open: true, limit: 2 });
    const { path, headers, body } = world.double.requests[0] ?? {};
    expect({ path, key: headers?.["idempotency-key"], body }).toEqual({
      path: "/hook/k3y",
      key: body?.["id"],
      body: {
        id: expect.stringMatching(/^notice_/),
        change: "raised",
        kind: "task_failed",
        count: 1,
        alerts: [{ id: alert?.id, subject: "api#1", message: "It crashed.", project: null, times: 100, raisedAt: alert?.raisedAt }],
        heldBack: 0,
        at: world.scratch.clock.now(),
        text: "Drover: task failed: api#1\nIt crashed. (100 times)\nAll of them: drover alert list",
      },
    });
    world.raise();
    await world.after(HOUR_MS);
    expect(world.double.requests).toHaveLength(1);
  });

  test("of many things are one message that names the first and counts the others", async () => {
    await using world = await TellerWorld.open();
    for (let task = 1; task <= 100; task += 1)
      world.raise({ subject: `api#${task}`, message: `Crash ${task}.`, projectId: world.project.id });
    await world.after(GATHER_MS);
    expect(world.double.texts).toEqual([
      `Drover: task failed: 100 alerts
api#1: Crash 1.
api#2: Crash 2.
api#3: Crash 3.
api#4: Crash 4.
api#5: Crash 5.
and 95 more
All of them: drover alert list`,
    ]);
    expect(world.double.requests[0]?.body["alerts"]).toHaveLength(5);
    expect(world.told()).toEqual([{ channel: "team", kind: "task_failed", change: "raised", count: 100, heldBack: 0 }]);
  });

  test("and of several kinds are a message a kind; what comes later is another", async () => {
    await using world = await TellerWorld.open();
    world.raise();
    world.raise({ kind: "circuit_open", subject: "worker:claude", message: "It is open." });
    await world.after(GATHER_MS);
    world.raise({ subject: "api#2" });
    await world.after(GATHER_MS);
    expect(world.double.requests.map(({ body }) => [body["kind"], body["count"]])).toEqual([
      ["task_failed", 1],
      ["circuit_open", 1],
      ["task_failed", 1],
    ]);
  });
});

describe("a resolved alert", () => {
  test("is told once to who was told of it, and not when a channel does not want it", async () => {
    const webhook = { kind: "webhook", urlVariable: "WEBHOOK_URL" };
    await using world = await TellerWorld.open({ team: webhook, quiet: { ...webhook, resolved: false } });
    world.raise();
    world.raise({ subject: "api#2" });
    await world.after(GATHER_MS);
    world.resolve("api#1");
    world.resolve("api#2");
    await world.after(GATHER_MS);
    await world.after(HOUR_MS);
    expect(world.told()).toEqual([
      { channel: "quiet", kind: "task_failed", change: "raised", count: 2, heldBack: 0 },
      { channel: "team", kind: "task_failed", change: "raised", count: 2, heldBack: 0 },
      { channel: "team", kind: "task_failed", change: "resolved", count: 2, heldBack: 0 },
    ]);
    expect(world.double.texts.at(-1)).toBe("Drover: task failed resolved: 2 alerts\napi#1\napi#2");
  });

  test("that was not told yet never is", async () => {
    await using world = await TellerWorld.open();
    world.raise();
    world.raise({ subject: "api#2" });
    world.resolve("api#1");
    await world.after(GATHER_MS);
    world.raise({ subject: "api#3" });
    world.resolve("api#3");
    await world.after(HOUR_MS);
    expect(world.double.texts).toEqual(["Drover: task failed: api#2\nIt crashed.\nAll of them: drover alert list"]);
  });
});

describe("a channel gets no more messages an hour than it is to", () => {
  test("the last says how many alerts were held back, and the next after it how many since", async () => {
    await using world = await TellerWorld.open({ team: { kind: "webhook", urlVariable: "WEBHOOK_URL", messagesPerHour: 2 } });
    const kinds = ["a_kind", "b_kind", "c_kind", "d_kind"];
    for (const kind of kinds) world.raise({ kind });
    world.raise({ kind: "d_kind", subject: "api#9" });
    await world.after(GATHER_MS);
    const sent = () => world.double.requests.map(({ body }) => [body["kind"], body["count"], body["heldBack"]]);
    expect(sent()).toEqual([
      ["a_kind", 1, 0],
      ["b_kind", 1, 3],
    ]);
    expect(world.double.texts.at(-1)).toContain("Held back, to keep to the messages an hour: 3 more alerts.");

    world.raise({ kind: "e_kind" });
    world.raise({ kind: "f_kind" });
    world.resolve("api#1", "f_kind");
    await world.after(HOUR_MS - GATHER_MS);
    expect(sent()).toHaveLength(2);
    world.raise({ kind: "a_kind", subject: "api#2" });
    await world.after(GATHER_MS);
    expect(sent().slice(2)).toEqual([
      ["e_kind", 1, 0],
      ["a_kind", 1, 0],
    ]);
  });
});

describe("a channel that can't be told", () => {
  test.each([
    ["with status 500", { status: 500, body: "rollup_error" }, "It answered 500: rollup_error", 2500],
    ["with a wait in seconds", { status: 429, headers: { "retry-after": "30" } }, "It answered 429", 30_000],
    ["with a wait until a date", { status: 503, headers: { "retry-after": "Thu, 01 Jan 2026 00:01:10 GMT" } }, "It answered 503", 60_000],
    ["by a break before the answer", "lost_reply", "It could not be reached (UND_ERR_SOCKET).", 2500],
  ] as const)("%s is told later, the same", async (_, fault, message, waitMs) => {
    await using world = await TellerWorld.open();
    world.double.faults.push(fault);
    world.raise();
    await world.after(GATHER_MS);
    expect(world.told()).toEqual([{ channel: "team", kind: "task_failed", message, final: false }]);
    await world.after(waitMs - 1);
    expect(world.double.requests).toHaveLength(1);
    await world.after(1);
    expect(world.double.requests).toHaveLength(2);
    expect(world.double.requests[1]?.body).toEqual(world.double.requests[0]?.body);
    expect(world.teller.channels()).toEqual([
      {
        name: "team",
        kind: "webhook",
        kinds: [],
        projects: [],
        pending: 0,
        lastSentAt: world.scratch.clock.now(),
        failures: 0,
        lastError: null,
      },
    ]);
  });

  test("because it hangs is given up after a while, tried again, and holds up no other", async () => {
    const webhook = { kind: "webhook", urlVariable: "WEBHOOK_URL" };
    await using world = await TellerWorld.open({
      slow: { ...webhook, kinds: ["task_failed"] },
      team: { ...webhook, kinds: ["circuit_open"] },
    });
    world.double.faults.push("hangs");
    world.raise();
    world.scratch.clock.advance(GATHER_MS);
    const first = world.teller.runOnce();
    await expect.poll(() => world.double.requests.length, { timeout: 30_000 }).toBe(1);
    world.raise({ kind: "circuit_open" });
    world.scratch.clock.advance(GATHER_MS - 1);
    world.scratch.clock.advance(1);
    await first;
    await world.teller.runOnce();
    const told = world.told();
    expect(told).toHaveLength(2);
    expect(told).toEqual(
      expect.arrayContaining([
        { channel: "slow", kind: "task_failed", message: "No answer within 10 s.", final: false },
        { channel: "team", kind: "circuit_open", change: "raised", count: 1, heldBack: 0 },
      ]),
    );
    await world.after(5000);
    expect(world.told().at(-1)).toEqual({ channel: "slow", kind: "task_failed", change: "raised", count: 1, heldBack: 0 });
  });

  test("because it refuses is tried for some minutes; then its next notice has its turn", async () => {
    await using world = await TellerWorld.open();
    world.double.faults.push(...Array.from({ length: 8 }, () => ({ status: 404, body: "no_service" })));
    world.raise();
    await world.after(GATHER_MS);
    world.raise({ kind: "circuit_open" });
    for (let minute = 0; minute < 15; minute += 1) await world.after(60_000);
    expect(world.told().slice(7)).toEqual([
      { channel: "team", kind: "task_failed", message: "It answered 404: no_service", final: true },
      { channel: "team", kind: "circuit_open", change: "raised", count: 1, heldBack: 0 },
    ]);
  });

  test("for a day is not told any more of what came at its beginning", async () => {
    await using world = await TellerWorld.open();
    world.double.faults.push(...Array.from({ length: 200 }, () => ({ status: 502 })));
    world.raise();
    await world.after(GATHER_MS);
    expect(world.teller.failing()).toEqual([]);
    for (let quarter = 0; quarter < 97; quarter += 1) await world.after(15 * 60_000);
    expect(world.told().at(-1)).toEqual({ channel: "team", kind: "task_failed", message: "It answered 502", final: true });
    expect(world.teller.failing()).toEqual(["team"]);
    expect(countOpenAlerts(world.scratch.database.reader)).toBe(1);
    world.double.faults.length = 0;
    world.raise({ subject: "api#2" });
    await world.after(GATHER_MS);
    expect(world.teller.failing()).toEqual([]);
  });

  test("for want of its address or through a wrong one says so, without the secret", async () => {
    await using world = await TellerWorld.open();
    world.env["WEBHOOK_URL"] = "hooks.example/k3y";
    world.raise();
    await world.after(GATHER_MS);
    delete world.env["WEBHOOK_URL"];
    await world.after(5000);
    world.env["WEBHOOK_URL"] = `${world.double.url}/hook/k3y`;
    world.double.faults.push({
      status: 302,
      headers: { location: "http://127.0.0.1:9/k3y" },
      body: `no such hook: ${world.double.url}/hook/k3y`,
    });
    await world.after(10_000);
    expect(world.told().map((data) => (data as { message: string }).message)).toEqual([
      "What the variable holds is not an address that begins with https:// or http://. Correct it.",
      "The variable WEBHOOK_URL is not set where the daemon was started. Set it, and restart the daemon.",
      "It answered 302: no such hook: ...",
    ]);
    expect(world.logged).toHaveLength(3);
    expect(world.logged.join()).not.toContain("k3y");
  });
});

describe("nothing is told twice", () => {
  test("when the daemon ends while alerts are gathered, or while a channel is away", async () => {
    await using world = await TellerWorld.open();
    world.raise();
    await world.teller.stop();
    world.double.faults.push({ status: 500 });
    world.newTeller();
    await world.after(GATHER_MS);
    await world.teller.stop();
    world.newTeller();
    await world.after(GATHER_MS);
    await world.teller.stop();
    world.newTeller();
    await world.after(HOUR_MS);
    expect(world.double.requests.map(({ body }) => body["id"])).toEqual([
      world.double.requests[0]?.body["id"],
      world.double.requests[0]?.body["id"],
    ]);
    expect(world.told().at(-1)).toMatchObject({ change: "raised", count: 1 });
  });

  test("but by a channel that was told just before a crash, which knows it by its id", async () => {
    await using world = await TellerWorld.open();
    world.raise();
    world.scratch.clock.advance(GATHER_MS);
    const dying = world.newTeller(dyingBeforeItNotes(world.scratch.database));
    void dying.runOnce();
    await expect.poll(() => world.double.requests.length, { timeout: 30_000 }).toBe(1);
    world.raise({ subject: "api#2" });
    world.newTeller();
    await world.teller.runOnce();
    expect(world.double.requests).toHaveLength(2);
    expect(world.double.requests[1]?.body).toEqual(world.double.requests[0]?.body);
    await world.after(GATHER_MS);
    expect(world.double.requests[2]?.body).toMatchObject({ count: 1, alerts: [{ subject: "api#2" }] });
  });
});

test("while it can't be stored that a channel was told, it is told nothing again", async () => {
  await using world = await TellerWorld.open();
  world.raise();
  const { clock, database } = world.scratch;
  let full = 3;
  let writes = 0;
  const write: Database["write"] = (work) => {
    writes += 1;
    return writes > 1 && full-- > 0 ? Promise.reject(new Error("The disk is full.")) : database.write(work);
  };
  const teller = world.newTeller(Object.assign(Object.create(database) as Database, { write }));
  clock.advance(GATHER_MS);
  const sent = teller.runOnce();
  for (const left of [2, 1, 0]) {
    await expect.poll(() => [full, clock.nextTimerMs], { timeout: 30_000 }).toEqual([left, 5000]);
    clock.advance(5000);
  }
  await sent;
  expect(world.double.requests).toHaveLength(1);
  expect(world.told()).toEqual([{ channel: "team", kind: "task_failed", change: "raised", count: 1, heldBack: 0 }]);
});

describe("each alert goes where it is to", () => {
  test("by kind and by project; what belongs to no project goes to those for all", async () => {
    const webhook = { kind: "webhook", urlVariable: "WEBHOOK_URL" };
    await using world = await TellerWorld.open({
      all: webhook,
      circuits: { ...webhook, kinds: ["circuit_open"] },
      api: { ...webhook, projects: ["api"] },
      web: { ...webhook, projects: ["web"] },
    });
    world.raise({ projectId: world.project.id });
    world.raise({ kind: "circuit_open" });
    await world.after(GATHER_MS);
    const told = world.told().map((data) => `${(data as { channel: string }).channel} ${(data as { kind: string }).kind}`);
    expect(told.toSorted()).toEqual(["all circuit_open", "all task_failed", "api task_failed", "circuits circuit_open"]);
  });

  test("a channel that is taken away is told nothing more, and a new one nothing old", async () => {
    const webhook = { kind: "webhook", urlVariable: "WEBHOOK_URL" };
    await using world = await TellerWorld.open({ old: webhook });
    world.raise();
    await world.configure({ new: webhook });
    await world.after(GATHER_MS);
    expect([world.double.requests, world.teller.channels().map(({ name }) => name)]).toEqual([[], ["new"]]);
    world.raise({ subject: "api#2" });
    await world.after(GATHER_MS);
    expect(world.told()).toEqual([{ channel: "new", kind: "task_failed", change: "raised", count: 1, heldBack: 0 }]);
  });
});

test("what was sent is forgotten after a week, but for what is still open", async () => {
  await using world = await TellerWorld.open();
  world.raise();
  await world.after(GATHER_MS);
  world.raise({ subject: "api#2" });
  await world.after(GATHER_MS);
  world.resolve("api#2");
  await world.after(GATHER_MS);
  await world.after(8 * 24 * HOUR_MS);
  world.raise({ subject: "api#3" });
  await world.after(GATHER_MS);
  const left = world.scratch.database.reader.all<{ subject: string; change: string }>(
    `SELECT subject, change FROM notices JOIN notice_alerts ON notice_id = notices.id JOIN alerts ON alerts.id = alert_id ORDER BY notices.sequence`,
  );
  expect(left.map(({ subject, change }) => `${subject} ${change}`)).toEqual(["api#1 raised", "api#3 raised"]);
});

/** A database whose writer dies when the outcome of its first notice is to be noted: that write never ends. */
function dyingBeforeItNotes(database: Database): Database {
  let left = 1;
  const write: Database["write"] = (work) => (left-- > 0 ? database.write(work) : new Promise(() => {}));
  return Object.assign(Object.create(database) as Database, { write });
}
