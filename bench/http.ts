import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Benchmark } from "./benchmark.ts";
import { untilQuiet } from "./machine.ts";
import { BareQueue } from "./parts/bare-queue.ts";
import { onBareServer } from "./parts/bare-server.ts";
import { openHome } from "./parts/home.ts";
import { makeRepository } from "../test/support/repository.ts";
import { rounds } from "./statistics.ts";

const CONNECTIONS = 50;
const AUTOCANNON = fileURLToPath(import.meta.resolve("autocannon"));

/** How much the API takes when many ask at once. Nothing is started: the queue is paused. */
export const benchmark: Benchmark = async ({ rounds: count, quick }) => {
  const seconds = quick ? 1 : 4;
  await using home = await openHome({});
  await home.start();
  await home.client.registerProject({ body: { path: makeRepository(join(home.folder, "tiny")).path, name: "tiny" } });
  await home.client.changeQueue({ body: { paused: true } });
  const tasks = { url: `${home.url}/api/tasks`, token: home.token, seconds };
  const body = JSON.stringify({ project: "tiny", title: "Measure" });
  const measured = await rounds(count, async () => {
    await untilQuiet({ withinMs: 10_000 });
    const bareRead = await onServer(undefined, (url) => load({ ...tasks, url }));
    const read = await load({ ...tasks, url: `${home.url}/api/daemon` });
    using queue = new BareQueue(join(home.folder, "bare.db"));
    const bareWrite = await onServer(queue, (url) => load({ ...tasks, url, body }));
    const write = await load({ ...tasks, body });
    return { read: read.rate, read99: read.p99, bareRead: bareRead.rate, write: write.rate, write99: write.p99, bareWrite: bareWrite.rate };
  });
  const reading = { name: "bare node:http", value: measured.bareRead };
  const writing = { name: "bare node:http, group commit", value: measured.bareWrite };
  return [
    { name: `GET /api/daemon, ${CONNECTIONS} connections`, unit: "/s", ours: measured.read, limit: reading, goal: null },
    { name: "the same, p99", unit: "ms", ours: measured.read99, limit: null, goal: null },
    { name: `POST /api/tasks, ${CONNECTIONS} connections, durable`, unit: "/s", ours: measured.write, limit: writing, goal: null },
    { name: "the same, p99", unit: "ms", ours: measured.write99, limit: null, goal: null },
  ];
};

interface Load {
  readonly url: string;
  readonly token: string;
  readonly seconds: number;
  readonly body?: string;
}

/** In a process of its own, so that what asks takes nothing of what answers. */
async function load({ url, token, seconds, body }: Load): Promise<{ rate: number; p99: number }> {
  const post = body === undefined ? [] : ["--method", "POST", "--body", body];
  const headers = ["--headers", `authorization: Bearer ${token}`, "--headers", "content-type: application/json"];
  const args = [AUTOCANNON, "--json", "--connections", String(CONNECTIONS), "--duration", String(seconds), ...headers, ...post, url];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 24 });
  const result = JSON.parse(stdout) as { requests: { average: number }; latency: { p99: number }; non2xx: number; errors: number };
  if (result.non2xx + result.errors > 0) throw new Error(`${url} failed ${result.non2xx + result.errors} times.`);
  return { rate: result.requests.average, p99: result.latency.p99 };
}

/** Reads no body and answers `{}`; with a queue, once it has stored something. */
function onServer<Result>(queue: BareQueue | undefined, work: (url: string) => Promise<Result>): Promise<Result> {
  return onBareServer(async (_, response) => {
    await queue?.insert("Measure");
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  }, work);
}
