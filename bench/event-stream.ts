import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { appendEvent } from "../src/store/events.ts";
import type { Benchmark } from "./benchmark.ts";
import { untilQuiet } from "./machine.ts";
import { BareQueue } from "./parts/bare-queue.ts";
import { onBareServer } from "./parts/bare-server.ts";
import { Child } from "./parts/child.ts";
import { openHome, type Home } from "./parts/home.ts";
import { monotonicMs } from "./parts/monotonic.ts";
import type { StreamAnswer } from "./programs/stream-clients.ts";
import { median, percentile, rounds } from "./statistics.ts";

const CLIENTS = 100;
/** Fifty a second. */
const EVERY_MS = 20;
/** About as much as an agent says in one line of its output. */
const TEXT = "I will add a route for the health check and a test for it, then run all of the tests.";

/** How long after a commit everybody who listens has heard of it. */
export const benchmark: Benchmark = async ({ rounds: count, quick }) => {
  const events = quick ? 50 : 250;
  await using home = await openHome({});
  await home.start();
  const measured = await rounds(count, async () => {
    await untilQuiet({ withinMs: 10_000 });
    const ours = await listen(`${home.url}/api/events`, home.token, () => sendStored(home, events), events);
    const bare = await listenToBare(home.folder, events);
    return { p50: median(ours), p99: percentile(ours, 0.99), bare50: median(bare), bare99: percentile(bare, 0.99) };
  });
  const limit = { name: "bare node:http and SQLite, written to each", value: measured.bare99 };
  return [
    { name: `commit to received, ${CLIENTS} clients, p99`, unit: "ms", ours: measured.p99, limit, goal: { first: 15 } },
    { name: "the same, p50", unit: "ms", ours: measured.p50, limit: { ...limit, value: measured.bare50 }, goal: null },
  ];
};

type Send = () => Promise<Map<number, number>>;

/** All delays of all clients. `send` says when it sent each event, by its id. */
async function listen(url: string, token: string, send: Send, events: number): Promise<number[]> {
  await using clients = new Child<StreamAnswer>("stream-clients.ts");
  await clients.ask({ open: CLIENTS, url, token });
  const sent = await send();
  const { received } = await clients.ask({ until: events });
  return received.flatMap((client) => [...sent].map(([id, at]) => (client.get(id) ?? Number.NaN) - at));
}

async function sendStored({ database }: Home, events: number): Promise<Map<number, number>> {
  const sent = new Map<number, number>();
  for (let event = 0; event < events; event += 1) {
    await database.write((tx) => {
      const sequence = appendEvent(tx, { type: "run.message", data: { text: TEXT } });
      tx.afterCommit(() => sent.set(sequence, monotonicMs()));
    });
    await sleep(EVERY_MS);
  }
  return sent;
}

/** The same, each after a commit of its own, but nothing more. */
async function listenToBare(folder: string, events: number): Promise<number[]> {
  using queue = new BareQueue(join(folder, "bare.db"));
  const streams = new Set<ServerResponse>();
  const send = async () => {
    const sent = new Map<number, number>();
    for (let id = 1; id <= events; id += 1) {
      const block = Buffer.from(`id: ${id}\nevent: run.message\ndata: ${JSON.stringify({ text: TEXT })}\n\n`);
      await queue.insert(TEXT);
      sent.set(id, monotonicMs());
      for (const stream of streams) stream.write(block);
      await sleep(EVERY_MS);
    }
    return sent;
  };
  const answer = async (_: unknown, response: ServerResponse) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(": hello\n\n");
    streams.add(response);
  };
  return await onBareServer(answer, (url) => listen(url, "", send, events));
}
