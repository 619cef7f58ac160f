import { once } from "node:events";
import { expect, test } from "vitest";
import { readBlocks, type Block } from "../../src/client/event-stream.ts";
import type { ProjectId, TaskId } from "../../src/contract/ids.ts";
import { examples } from "../../src/api/examples.ts";
import { lines } from "./memory-control.ts";
import { serve, stall, token, type Serving } from "./serving.ts";

/** The next `count` blocks that hold data, without those before them that don't. */
async function take(blocks: AsyncGenerator<Block>, count: number): Promise<Block[]> {
  const taken: Block[] = [];
  while (taken.length < count) {
    const next = await blocks.next();
    if (next.done === true) break;
    if (next.value.data !== "") taken.push(next.value);
  }
  return taken;
}

async function open(served: Serving, query = "", headers: Record<string, string> = {}): Promise<AsyncGenerator<Block>> {
  const blocks = readBlocks(await served.request(`/api/events${query}`, { headers }));
  await blocks.next();
  return blocks;
}

function sequences(blocks: readonly Block[]): number[] {
  return blocks.map(({ data }) => (JSON.parse(data) as { sequence: number }).sequence);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

test("an event arrives with its sequence as id, its type as event and itself as data", async () => {
  await using served = await serve();
  served.events.commit(3);
  const blocks = readBlocks(await served.request("/api/events"));
  expect((await blocks.next()).value).toEqual({ id: "3", event: undefined, data: "" });
  served.events.commit();
  expect(await take(blocks, 1)).toEqual([{ id: "4", event: "run.message", data: JSON.stringify(served.events.stored[3]) }]);
});

test.each([
  ["the header", "", { "last-event-id": "2" }],
  ["the query", "?after=2", {}],
  ["the header before the query", "?after=0", { "last-event-id": "2" }],
])("a stream goes on behind the event that %s names", async (_, query, headers) => {
  await using served = await serve();
  served.events.commit(5);
  const blocks = await open(served, query, headers);
  served.events.commit();
  expect(sequences(await take(blocks, 4))).toEqual([3, 4, 5, 6]);
});

test("a position that the database does not have yet begins at its end", async () => {
  await using served = await serve();
  served.events.commit(5);
  const blocks = await open(served, "?after=900");
  served.events.commit(2);
  expect(sequences(await take(blocks, 2))).toEqual([6, 7]);
});

test("a client far behind gets every event once and in order, while more are committed", async () => {
  await using served = await serve();
  served.events.commit(6000);
  const blocks = await open(served, "?after=0");
  const taken = take(blocks, 12_000);
  for (let round = 0; round < 6; round += 1) {
    served.events.commit(1000);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(sequences(await taken)).toEqual(range(1, 12_000));
});

test("a stream of one project or task holds only its events, old and new", async () => {
  await using served = await serve();
  const projectId: ProjectId = examples.getProject.response.id;
  const task = await served.client.createTask({ body: { project: "api", title: "One" } });
  const other: TaskId = examples.getTask.response.id;
  const commit = () => {
    served.events.commit(2);
    served.events.commit(1, { projectId, taskId: other });
    served.events.commit(1, { projectId, taskId: task.id });
  };
  commit();
  const [ofProject, ofTask] = [
    await open(served, "?after=0&project=api"),
    await open(served, `?after=0&task=${encodeURIComponent(task.key)}`),
  ];
  commit();
  expect(sequences(await take(ofProject, 4))).toEqual([3, 4, 7, 8]);
  expect(sequences(await take(ofTask, 2))).toEqual([4, 8]);
  expect((await served.request("/api/events?project=nope")).status).toBe(404);
});

test("of 20 clients one reads nothing: the others are not delayed, nothing is kept for it, and it is dropped", async () => {
  await using served = await serve();
  const reading = await Promise.all(range(1, 19).map(() => open(served)));
  const stalled = await stall(
    served.port,
    `GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  await expect.poll(() => served.events.reads).toBe(0);
  const taken = reading.map((blocks) => take(blocks, 400));
  // More than the kernel's buffers of one connection hold, so that the stalled one fills up.
  for (let round = 0; round < 40; round += 1) {
    const before = served.events.reads;
    served.events.commit(10, {}, 50_000);
    await expect.poll(() => served.events.reads, { interval: 1 }).toBeGreaterThan(before);
  }
  for (const blocks of await Promise.all(taken)) expect(sequences(blocks)).toEqual(range(1, 400));
  const dropped = () => served.lines.filter(({ level, message }) => level === "warn" && message === "Event client dropped");
  served.timers.fire();
  expect(dropped()).toEqual([]);
  served.timers.fire();
  expect(dropped()).toHaveLength(1);
  stalled.resume();
  await once(stalled, "close");
  served.events.commit();
  for (const blocks of reading) expect(sequences(await take(blocks, 1))).toEqual([401]);
});

test("a quiet stream gets a comment at each heartbeat", async () => {
  await using served = await serve();
  const response = await served.request("/api/events");
  const reader = response.body?.getReader();
  const read = async () => new TextDecoder().decode((await reader?.read())?.value as Uint8Array);
  expect(await read()).toBe("retry: 1000\nid: 0\n\n");
  served.timers.fire();
  expect(await read()).toBe(": heartbeat\n\n");
  await reader?.cancel();
});

test("signs of life of the workers arrive at once, to whom they are of interest, and are no part of the record", async () => {
  await using served = await serve();
  const [projectId, taskId, runId] = [`project_${"1".repeat(36)}`, `task_${"2".repeat(36)}`, `run_${"3".repeat(36)}`] as const;
  const task = await served.client.createTask({ body: { project: "api", title: "One" } });
  const [all, ofAnother] = [await open(served), await open(served, `?task=${encodeURIComponent(task.key)}`)];
  const beat = { type: "worker.heartbeat", at: 1, projectId, taskId, runId, data: { worker: 2, state: "running" } } as const;
  served.events.beat(beat);
  served.events.commit(1, { taskId: task.id });
  const [first, second] = await take(all, 2);
  expect([first?.id, first?.event, JSON.parse(first?.data ?? "")]).toEqual([undefined, "worker.heartbeat", beat]);
  expect([second?.id, (await take(ofAnother, 1))[0]?.event]).toEqual(["1", "run.message"]);
});

test("at stop every stream ends after what was committed before", async () => {
  await using served = await serve();
  const blocks = await open(served);
  served.events.commit(2);
  const taken = await take(blocks, 2);
  await served.stop();
  expect([sequences(taken), await blocks.next()]).toEqual([[1, 2], { value: undefined, done: true }]);
  await expect(served.request("/health")).rejects.toThrow("fetch failed");
});

test("without clients a commit reads nothing from the store", async () => {
  await using served = await serve();
  served.events.commit(10);
  const blocks = await open(served);
  await blocks.return(undefined);
  await expect.poll(() => served.lines.filter(({ message }) => message === "Request answered")).toHaveLength(1);
  const { reads } = served.events;
  served.events.commit(10);
  await new Promise((resolve) => setImmediate(resolve));
  expect(served.events.reads).toBe(reads);
});

const outputPath = `/api/runs/${examples.getRun.response.id}/output`;

test("a run's output ends with an event that says so, and goes on behind the line that a client names", async () => {
  await using served = await serve();
  const all = await take(readBlocks(await served.request(outputPath)), 9);
  expect(all.map(({ id, event, data }) => [id, event, data])).toEqual([
    ["1", undefined, '{"text":"first"}'],
    ["2", undefined, '{"text":"second"}'],
    ["3", undefined, '{"text":"third"}'],
    [undefined, "end", "{}"],
  ]);
  served.memory.output = lines("first", "second", "third");
  const rest = await take(readBlocks(await served.request(outputPath, { headers: { "last-event-id": "2" } })), 9);
  expect(rest.map(({ data }) => data)).toEqual(['{"text":"third"}', "{}"]);
});

test("what goes wrong within a stream is its last event, and is logged", async () => {
  await using served = await serve();
  served.memory.output = (async function* () {
    yield* lines("first");
    throw new TypeError("the disk fell out");
  })();
  const all = await take(readBlocks(await served.request(outputPath)), 9);
  expect(all.map(({ event, data }) => [event, JSON.parse(data) as unknown])).toMatchObject([
    [undefined, { text: "first" }],
    ["problem", { code: "internal" }],
  ]);
  await expect
    .poll(() => served.lines.filter(({ level }) => level === "error"))
    .toMatchObject([{ fields: { message: "the disk fell out" } }]);
});

test("the output of a run that is not there is 404, before any stream begins", async () => {
  await using served = await serve();
  expect((await served.request("/api/runs/nope/output")).status).toBe(404);
});

test("output is made no faster than its client reads, and ends when the client goes", async () => {
  await using served = await serve();
  let made = 0;
  let isOver = false;
  served.memory.output = (async function* () {
    try {
      for (; made < 100_000; made += 1) yield await Promise.resolve({ text: "x".repeat(10_000) });
    } finally {
      isOver = true;
    }
  })();
  const stalled = await stall(
    served.port,
    `GET ${outputPath} HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );
  let seen = -1;
  await expect.poll(() => seen === (seen = made) && made > 0, { interval: 50 }).toBe(true);
  expect(made).toBeLessThan(5000);
  stalled.destroy();
  await expect.poll(() => isOver).toBe(true);
});
