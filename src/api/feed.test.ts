import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import type { Event } from "../contract/event.ts";
import { Feed, type FeedSource } from "./feed.ts";

/** A socket that is full with the first byte, and takes what it has been given when the test says so. */
class SlowSocket extends Writable {
  readonly #waiting: (() => void)[] = [];
  /** The most that ever waited in it. */
  mostWaiting = 0;
  /** The sequences of the events that it took. */
  readonly ids: number[] = [];

  constructor() {
    super({ highWaterMark: 1 });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.mostWaiting = Math.max(this.mostWaiting, this.writableLength);
    this.#waiting.push(() => {
      this.ids.push(...[...chunk.toString().matchAll(/^id: (\d+)\nevent/gm)].map(([, id]) => Number(id)));
      done();
    });
  }

  take(): boolean {
    const next = this.#waiting.shift();
    next?.();
    return next !== undefined;
  }
}

/** A store of `size` more bytes an event; `reads` counts how often it was asked, `isBroken` makes it fail. */
class Store implements FeedSource {
  onHeartbeat(): void {}

  readonly events: Event[] = [];
  reads = 0;
  isBroken = false;
  #listener: () => void = () => {};

  lastSequence = () => this.events.length;

  eventsAfter(sequence: number, { limit }: { limit: number }): Event[] {
    this.reads += 1;
    if (this.isBroken) throw new Error("disk I/O error");
    return this.events.slice(sequence, sequence + limit);
  }

  onCommit(listener: () => void): () => void {
    this.#listener = listener;
    return () => {};
  }

  async commit(count: number, size = 0): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const sequence = this.events.length + 1;
      this.events.push({
        sequence,
        at: 0,
        type: "run.message",
        projectId: null,
        taskId: null,
        runId: null,
        data: { text: "x".repeat(size) },
      });
    }
    this.#listener();
    await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function drain(socket: SlowSocket): Promise<void> {
  while (socket.take()) await turn();
}

function startFeed() {
  const store = new Store();
  const feed = new Feed({ source: store, clock: systemClock, log: silentLog });
  feed.start();
  return { store, feed };
}

function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

test("what waits for a client that reads nothing is no more than one write", async () => {
  const { store, feed } = startFeed();
  const socket = new SlowSocket();
  feed.add(socket, {});
  for (let round = 0; round < 50; round += 1) await store.commit(100, 3000);
  expect(socket.mostWaiting).toBeLessThan(1000);
  await drain(socket);
  expect(socket.ids).toEqual(upTo(5000));
  expect(socket.mostWaiting).toBeLessThan(300_000);
  feed.stop();
});

test.each([
  ["many small", 60, 200, 0],
  ["few big", 30, 20, 50_000],
])("a client that falls behind what is kept in memory (%s events) misses nothing", async (_, rounds, count, size) => {
  const { store, feed } = startFeed();
  const [slow, quick] = [new SlowSocket(), new SlowSocket()];
  feed.add(slow, {});
  feed.add(quick, {});
  for (let round = 0; round < rounds; round += 1) {
    await store.commit(count, size);
    await drain(quick);
  }
  const { reads } = store;
  await drain(slow);
  expect(store.reads).toBeGreaterThan(reads);
  expect([slow.ids, quick.ids]).toEqual([upTo(rounds * count), upTo(rounds * count)]);
  feed.stop();
});

test("old events that are too big for one write come in several", async () => {
  const { store, feed } = startFeed();
  await store.commit(50, 50_000);
  const socket = new SlowSocket();
  feed.add(socket, { after: 0 });
  await drain(socket);
  expect(socket.ids).toEqual(upTo(50));
  expect(socket.mostWaiting).toBeLessThan(400_000);
  feed.stop();
});

test("clients that keep up cost one read a commit, however many they are", async () => {
  const { store, feed } = startFeed();
  const sockets = Array.from({ length: 20 }, () => new SlowSocket());
  for (const socket of sockets) feed.add(socket, {});
  for (const socket of sockets) await drain(socket);
  for (let round = 0; round < 10; round += 1) {
    await store.commit(3);
    for (const socket of sockets) await drain(socket);
  }
  expect(store.reads).toBe(10);
  for (const socket of sockets) expect(socket.ids).toEqual(upTo(30));
  feed.stop();
});

test("a store that fails for a while delays events and loses none", async () => {
  const { store, feed } = startFeed();
  await store.commit(2);
  const socket = new SlowSocket();
  feed.add(socket, {});
  store.isBroken = true;
  await store.commit(3);
  store.isBroken = false;
  await store.commit(3);
  await drain(socket);
  expect(socket.ids).toEqual([3, 4, 5, 6, 7, 8]);

  const late = new SlowSocket();
  store.isBroken = true;
  feed.add(late, { after: 0 });
  await drain(late);
  expect(late.destroyed).toBe(true);
  feed.stop();
});
