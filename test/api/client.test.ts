import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { createClient } from "../../src/client/client.ts";
import { ClientError } from "../../src/client/client-error.ts";
import { examples } from "../../src/api/examples.ts";
import { MemoryEvents, serve, token } from "./serving.ts";

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

test("each route is a method: names in paths are escaped, what is undefined is left out", async () => {
  await using served = await serve();
  const { created, ...task } = await served.client.createTask({ body: { project: "api", title: "One", priority: 70 } });
  expect(created).toBe(true);
  expect([task.key, task.priority]).toEqual(["api#1", 70]);
  expect((await served.client.getTask({ params: { task: "api#1" } })).id).toBe(task.id);
  expect((await served.client.listTasks({ query: { status: "queued", project: undefined, limit: 1 } })).items).toEqual([task]);
  expect((await served.client.stopWorker({ params: { worker: 2 } })).number).toBe(2);
  expect(await served.client.getTaskDiff({ params: { task: "api#1" } })).toBe(examples.getTaskDiff.response);
  expect(await served.client.stopDaemon()).toEqual({ stopping: true });
});

test("a refusal is an error with its code, status and fields", async () => {
  await using served = await serve();
  const refused: unknown = await served.client.createTask({ body: { project: "api", title: "" } }).catch((thrown: unknown) => thrown);
  expect(refused).toBeInstanceOf(ClientError);
  expect(refused).toMatchObject({
    code: "invalid",
    status: 400,
    message: "title: a task needs a title",
    issues: [{ path: "title", message: "a task needs a title" }],
  });
  await expect(served.client.getTask({ params: { task: "x" } })).rejects.toMatchObject({ code: "not_found", status: 404 });
  await expect(createClient({ url: served.url, token: "wrong" }).getDaemon()).rejects.toMatchObject({ code: "unauthorized", status: 401 });
});

test("where nothing answers, or another program does, it is unavailable", async () => {
  const other = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
  await once(other, "listening");
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  await expect(createClient({ url, token }).getDaemon()).rejects.toMatchObject({
    code: "unavailable",
    message: "What answers there is not Drover (HTTP 200).",
  });
  other.close();
  await once(other, "close");
  await expect(createClient({ url, token }).getDaemon()).rejects.toMatchObject({
    code: "unavailable",
    status: 0,
    message: `Nothing answers at ${url}.`,
  });
});

test("a stream goes on over a restart of the daemon: nothing is lost and nothing comes twice", async () => {
  const events = new MemoryEvents();
  const first = await serve({ events });
  const seen: number[] = [];
  const followed = (async () => {
    for await (const event of first.client.streamEvents({ query: { after: 0 } })) {
      seen.push(event.sequence);
      if (event.sequence === 30) return;
    }
  })();
  events.commit(10);
  await expect.poll(() => seen.length).toBe(10);
  await first.stop();
  events.commit(10);
  await using _second = await serve({ events, port: first.port });
  await expect.poll(() => seen.length).toBe(20);
  events.commit(10);
  await followed;
  expect(seen).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
});

test("a stream that was refused says why instead of trying again", async () => {
  await using served = await serve();
  await expect(collect(served.client.getRunOutput({ params: { run: "x" } }))).rejects.toMatchObject({ code: "not_found" });
  expect(served.memory.asked).toHaveLength(1);
});

test("a stream that ends by itself ends the iteration; a problem in it is thrown", async () => {
  await using served = await serve();
  const run = examples.getRun.response.id;
  expect(await collect(served.client.getRunOutput({ params: { run } }))).toEqual([
    { text: "first" },
    { text: "second" },
    { text: "third" },
  ]);
  served.memory.output = (async function* () {
    yield { text: "first" };
    throw await Promise.resolve(new TypeError("gone"));
  })();
  await expect(collect(served.client.getRunOutput({ params: { run } }))).rejects.toMatchObject({ code: "internal" });
});

test("an abort ends a request, a stream and the wait for a lost one, with its reason", async () => {
  const served = await serve();
  const abort = new AbortController();
  const { signal } = abort;
  const reason = new Error("enough");
  served.events.commit();
  const seen: number[] = [];
  const following = (async () => {
    for await (const event of served.client.streamEvents({ query: { after: 0 }, signal })) seen.push(event.sequence);
  })();
  await expect.poll(() => seen).toEqual([1]);
  await served.stop();
  abort.abort(reason);
  await expect(following).rejects.toBe(reason);
  await expect(served.client.getDaemon({ signal })).rejects.toBe(reason);
  await expect(collect(served.client.streamEvents({ signal }))).rejects.toBe(reason);
});

test("leaving a stream closes its connection", async () => {
  await using served = await serve();
  served.events.commit(1);
  for await (const event of served.client.streamEvents({ query: { after: 0 } })) {
    expect(event.sequence).toBe(1);
    break;
  }
  await expect
    .poll(() => served.lines.filter(({ message }) => message === "Request answered"))
    .toMatchObject([{ fields: { route: "/api/events", isComplete: false } }]);
});
