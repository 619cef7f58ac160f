import { expect, test } from "vitest";
import type { TaskId } from "../../src/contract/ids.ts";
import { NewMessage, type Message, type MessagePayload, type Recipient, type Sender } from "../../src/contract/message.ts";
import type { Run } from "../../src/contract/run.ts";
import { answerMessage, replayMessage, sendMessage } from "../../src/engine/messaging/send.ts";
import { listAlerts } from "../../src/store/alerts.ts";
import { latestEvents } from "../../src/store/events.ts";
import { forgetMessages, getMessage, messageCounters } from "../../src/store/messages.ts";
import { deliver, pendingMessages, takeBack, waitingMessages } from "../../src/store/receipts.ts";
import { subscribe } from "../../src/store/subscriptions.ts";
import { getTask } from "../../src/store/tasks.ts";
import { addProject, addTask, carryOut, scratchDatabase, startTask } from "../support/scratch-database.ts";

const person: Sender = { by: "person", name: "cli" };
const asRun = ({ id, taskKey }: Run): Sender => ({ by: "run", runId: id, task: taskKey });
const toTask = (task: string): Recipient => ({ to: "task", task });
const share = (text = "It is v3."): MessagePayload => ({ kind: "share", text });
const query = (text = "Which one?"): MessagePayload => ({ kind: "query", text, timeoutMs: 60_000 });
const parts = { redact: (text: string) => text.replaceAll("s3cret", "***") };

/** Two projects: `api` with three tasks, `web` with one; all run. */
function openWorld() {
  const scratch = scratchDatabase();
  const { database } = scratch;
  const [api, web] = [addProject(database), addProject(database, { name: "web" })];
  const runs = [api, api, api, web].map(({ id }) => startTask(database, addTask(database, id).id));
  const send = (sender: Sender, recipient: Recipient, payload: MessagePayload, projectId = api.id): Message =>
    database.writeNow((tx) => sendMessage(parts, tx, { sender, projectId, recipient, payload }));
  return { scratch, database, api, web, runs: runs as [Run, Run, Run, Run], send, [Symbol.dispose]: () => scratch[Symbol.dispose]() };
}

const told = ({ receipts }: Message) => receipts.map(({ recipient, state, reason }) => [recipient, state, reason]);

test("a message is refused where it is wrong, and says where", () => {
  const problems = (message: unknown) => NewMessage.safeParse(message).error?.issues.map(({ path }) => path.join("."));
  const good = { recipient: toTask("api#1"), payload: { kind: "share", text: "x" } };
  expect(problems(good)).toBeUndefined();
  expect(problems({ ...good, payload: { kind: "share", text: " " } })).toEqual(["payload.text"]);
  expect(problems({ ...good, payload: { kind: "shout", text: "x" } })).toEqual(["payload.kind"]);
  expect(problems({ ...good, payload: { kind: "query", text: "x", timeoutMs: 5 } })).toEqual(["payload.timeoutMs"]);
  expect(problems({ ...good, payload: { kind: "stop", text: "x", force: true } })).toEqual(["payload"]);
  expect(problems({ ...good, recipient: { to: "project" } })).toEqual(["project"]);
  expect(problems({ project: "api", recipient: { to: "topic", topic: "No Topic" }, payload: good.payload })).toEqual(["recipient.topic"]);
  expect(problems({ project: "api", recipient: { to: "project" }, payload: { kind: "stop", text: "x" } })).toEqual(["recipient.to"]);
  expect(problems({ project: "api", recipient: { to: "person" }, payload: { kind: "share", text: "x" } })).toEqual(["recipient.to"]);
});

test("agents reach their own project alone and stop nobody; people and supervisors do", () => {
  using world = openWorld();
  const { send, runs, web, database } = world;
  const [one, , , other] = runs;
  expect(() => send(asRun(one), toTask("web#1"), share())).toThrow("only tasks of its own project");
  expect(() => send(asRun(other), { to: "project" }, share())).toThrow("only tasks of its own project");
  expect(() => send(asRun(one), toTask("api#2"), { kind: "stop", text: "Stop." })).toThrow("Only people and supervisory runs");
  expect(() => send(asRun(one), toTask("nobody#1"), share())).toThrow("There is no task");
  expect(messageCounters(database.reader)).toEqual({ sent: 0, delivered: 0, answered: 0, dead: 0 });

  const supervisor: Sender = { by: "supervisor", runId: other.id, task: other.taskKey };
  send(supervisor, toTask("api#2"), { kind: "stop", text: "It goes in circles." }, web.id);
  expect(database.reader.get("SELECT cancel_by, cancel_message FROM tasks WHERE id = :id", { id: runs[1].taskId })).toEqual({
    __proto__: null,
    cancel_by: "user",
    cancel_message: "Stopped by web#1: It goes in circles.",
  });
});

test("broadcasts and topics leave out who sends them, and what is secret leaves with nobody", () => {
  using world = openWorld();
  const { send, runs, api, database } = world;
  const all = send(asRun(runs[0]), { to: "project" }, share("The key is s3cret.\u001b[2J"));
  expect([told(all), all.payload.text]).toEqual([
    [
      ["api#2", "pending", null],
      ["api#3", "pending", null],
    ],
    "The key is ***.",
  ]);
  for (const { taskId } of runs.slice(0, 3)) database.writeNow((tx) => subscribe(tx, { projectId: api.id, topic: "schema", taskId }));
  expect(told(send(asRun(runs[2]), { to: "topic", topic: "schema" }, share()))).toEqual([
    ["api#1", "pending", null],
    ["api#2", "pending", null],
  ]);
  carryOut(database, addTask(database, api.id).id);
  expect(told(send(person, toTask("api#4"), share()))).toEqual([["api#4", "dead", "ended"]]);
});

test("two that would wait for each other's answer do not: the second is told so at once", () => {
  using world = openWorld();
  const { send, runs, database } = world;
  const [one, two, three] = runs;
  const first = send(asRun(one), toTask("api#2"), query());
  send(asRun(two), toTask("api#3"), query());
  const circle = send(asRun(three), toTask("api#1"), query());
  expect([told(circle), circle.closedAt]).toEqual([[["api#1", "dead", "deadlock"]], expect.any(Number)]);
  expect(latestEvents(database.reader, { taskId: one.taskId, limit: 1 })).toMatchObject([
    { type: "message.died", data: { id: circle.id, to: "api#1", reason: "deadlock" } },
  ]);
  // A share waits for nobody, and who was answered waits no more.
  expect(told(send(asRun(three), toTask("api#1"), share()))).toEqual([["api#1", "pending", null]]);
  database.writeNow((tx) => answerMessage(parts, tx, first.id, { text: "The first.", by: "api#2" }));
  expect(told(send(asRun(three), toTask("api#1"), query()))).toEqual([["api#1", "pending", null]]);
});

test("a message is had once, waits again when its run never began, and goes to another when it is dead", () => {
  using world = openWorld();
  const { send, runs, database } = world;
  const [one, two] = runs;
  const { id } = send(person, toTask("api#1"), share());
  const waiting = (taskId: TaskId) => [pendingMessages(database.reader, taskId), waitingMessages(database.reader, taskId)];
  expect(waiting(one.taskId)).toEqual([[id], [id]]);
  expect([1, 2].map(() => database.writeNow((tx) => deliver(tx, id, one.taskId, one.id)))).toEqual([true, false]);
  expect(waiting(one.taskId)).toEqual([[], []]);
  database.writeNow((tx) => takeBack(tx, one.id));
  expect(waiting(one.taskId)).toEqual([[id], [id]]);
  expect(messageCounters(database.reader)).toEqual({ sent: 1, delivered: 0, answered: 0, dead: 0 });

  // A query that was told and not answered is told to the task's next run.
  const asked = send(person, toTask("api#2"), query());
  database.writeNow((tx) => deliver(tx, asked.id, two.taskId, two.id));
  expect(waiting(two.taskId)).toEqual([[], [asked.id]]);
  expect(() => database.writeNow((tx) => replayMessage(tx, id, toTask("api#2"), "cli"))).toThrow("is no dead letter");
  const dead = send(person, { to: "topic", topic: "none" }, query());
  expect(() => database.writeNow((tx) => replayMessage(tx, dead.id, toTask("web#1"), "cli"))).toThrow("goes to no other project");
  const replayed = database.writeNow((tx) => replayMessage(tx, dead.id, toTask("api#3"), "cli"));
  expect([told(replayed), replayed.closedAt]).toEqual([
    [
      ["", "dead", "no_subscriber"],
      ["api#3", "pending", null],
    ],
    null,
  ]);
});

test("one task can't flood another, nor all of them, nor people, and old messages are forgotten", () => {
  using world = openWorld();
  const { send, runs, database, scratch } = world;
  for (let count = 0; count < 50; count++) send(person, toTask("api#1"), share(String(count)));
  expect(() => send(person, toTask("api#1"), share("One more"))).toThrow("50 messages wait for that task already");
  const { taskId } = runs[2];
  for (let count = 0; count < 200; count++) send(asRun(runs[2]), { to: "person" }, { kind: "alert", text: "The same" });
  expect(() => send(asRun(runs[2]), toTask("api#2"), share())).toThrow("has sent 200 messages");
  const alerts = listAlerts(database.reader, { open: true, limit: 10 });
  expect(alerts.map(({ kind, message, count, taskId: about }) => [kind, message, count, about])).toEqual([
    ["message", "api#3: The same", 200, taskId],
  ]);
  scratch.clock.advance(1000);
  // What still waits is kept.
  expect(database.writeNow((tx) => forgetMessages(tx, tx.now, 1000))).toBe(200);
  expect(pendingMessages(database.reader, runs[0].taskId)).toHaveLength(50);
  expect(getTask(database.reader, taskId).status).toBe("running");
  const [first = ""] = pendingMessages(database.reader, runs[0].taskId);
  expect(getMessage(database.reader, first).payload.text).toBe("0");
});
