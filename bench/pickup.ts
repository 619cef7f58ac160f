import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import type { EngineParts } from "../src/engine/parts.ts";
import { makeRepository } from "../test/support/repository.ts";
import type { Benchmark } from "./benchmark.ts";
import { untilQuiet } from "./machine.ts";
import { BareQueue } from "./parts/bare-queue.ts";
import { onBareServer } from "./parts/bare-server.ts";
import { Child } from "./parts/child.ts";
import { cloneByHand } from "./parts/git-by-hand.ts";
import { openHome, type Home } from "./parts/home.ts";
import { instantParts, INSTANT_AGENT } from "./parts/instant-engine.ts";
import { monotonicMs } from "./parts/monotonic.ts";
import { median, percentile, rounds } from "./statistics.ts";
import type { Enqueued } from "./programs/enqueuer.ts";

/** How long after somebody asks for work it begins, on a daemon that has nothing else to do. The one who asks is a process of its own. */
export const benchmark: Benchmark = async ({ rounds: count, quick }) => {
  await using client = new Child<Enqueued>("enqueuer.ts");
  await using home = await openHome({ agents: { instant: INSTANT_AGENT }, defaults: { agent: "instant" } });
  const times = new Times();
  await home.start((parts) => decorate(parts, home, times));
  const repository = makeRepository(join(home.folder, "tiny"));
  await home.client.registerProject({ body: { path: repository.path, name: "tiny" } });
  const [each, eachReal] = quick ? [100, 10] : [500, 40];
  const measured = await rounds(count, async () => {
    await untilQuiet({ withinMs: 10_000 });
    times.isReal = false;
    const bare = await bareCommits(client, home.folder, each);
    const first = await enqueueEach(client, home, times, each, "first");
    times.isReal = true;
    const start = await enqueueEach(client, home, times, eachReal, "start");
    const byHand = await cloneByHand(repository.path, home.folder, eachReal);
    return {
      p50: median(first),
      p99: percentile(first, 0.99),
      bare50: median(bare),
      bare99: percentile(bare, 0.99),
      start: median(start),
      byHand: median(byHand),
    };
  });
  const limit = (value: typeof measured.p50) => ({ name: "node:http and one commit", value });
  return [
    {
      name: "HTTP enqueue to the run's first outside call, p50",
      unit: "ms",
      ours: measured.p50,
      limit: limit(measured.bare50),
      goal: { first: 3, later: 1 },
    },
    { name: "the same, p99", unit: "ms", ours: measured.p99, limit: limit(measured.bare99), goal: { first: 10, later: 3 } },
    {
      name: "HTTP enqueue to the start of the agent, real git, p50",
      unit: "ms",
      ours: measured.start,
      limit: { name: "git fetch and clone by hand", value: measured.byHand },
      goal: null,
    },
  ];
};

/** When each task, by its title, came to the calls that are watched. */
class Times {
  isReal = false;
  readonly fetched = new Map<number, number>();
  readonly started = new Map<number, number>();
}

/** Real git on demand; the agent itself is always instant. Tasks come one at a time, so the order of calls tells them apart. */
function decorate(parts: EngineParts, { folder }: Home, times: Times): EngineParts {
  const { host, workspaces, drivers, forges, runCheck } = instantParts(parts.database, folder, 2);
  return {
    ...parts,
    drivers,
    forges,
    runCheck,
    host: {
      ...host,
      start(command) {
        times.started.set(times.started.size, monotonicMs());
        return host.start(command);
      },
    },
    workspaces: new Proxy(workspaces, {
      get(instant, key: keyof typeof workspaces) {
        const target = times.isReal ? parts.workspaces : instant;
        if (key === "fetchBase") times.fetched.set(times.fetched.size, monotonicMs());
        const method = target[key];
        return method.bind(target);
      },
    }),
  };
}

async function enqueueEach(client: Child<Enqueued>, home: Home, times: Times, count: number, what: "first" | "start"): Promise<number[]> {
  const samples: number[] = [];
  for (let index = 0; index < count; index += 1) {
    await home.untilIdle();
    const begun = what === "first" ? times.fetched : times.started;
    const before = begun.size;
    const body = { project: "tiny", title: "Measure", mode: "plan" };
    const { sentAt } = await client.ask({ url: `${home.url}/api/tasks`, token: home.token, body });
    await home.untilIdle();
    samples.push((begun.get(before) ?? Number.NaN) - sentAt);
  }
  return samples;
}

/** The least there is to it: a request, a row on the disk, a call. */
async function bareCommits(client: Child<Enqueued>, folder: string, count: number): Promise<number[]> {
  using queue = new BareQueue(join(folder, "bare.db"));
  const samples: number[] = [];
  let calledAt = 0;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { title } = (await json(request)) as { title: string };
    await queue.insert(title);
    calledAt = monotonicMs();
    response.writeHead(201, { "content-type": "application/json" }).end("{}");
  };
  await onBareServer(answer, async (url) => {
    for (let index = 0; index < count; index += 1) {
      const { sentAt } = await client.ask({ url, token: "", body: { title: "Measure" } });
      samples.push(calledAt - sentAt);
    }
  });
  return samples;
}
