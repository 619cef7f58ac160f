import { createConnection, type Socket } from "node:net";
import { once } from "node:events";
import { systemClock, type Clock } from "../../src/base/clock.ts";
import type { Log, LogFields } from "../../src/base/log.ts";
import { examples } from "../../src/api/examples.ts";
import { runToken } from "../../src/base/run-token.ts";
import { Feed, type EventFilter, type FeedSource } from "../../src/api/feed.ts";
import { createApi } from "../../src/api/server.ts";
import { createClient, type Client } from "../../src/client/client.ts";
import type { Event, NewEvent, WorkerHeartbeat } from "../../src/contract/event.ts";
import { MemoryControl } from "./memory-control.ts";

export const token = "a-token-that-is-long-enough-for-a-test-0123456789";

/** What speaks for the run of the examples. */
export const tokenOfRun = runToken(token, examples.getRun.response);

export interface Serving extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly memory: MemoryControl;
  readonly events: MemoryEvents;
  readonly timers: HeldTimers;
  readonly lines: { level: string; message: string; fields: LogFields }[];
  readonly client: Client;
  stop(): Promise<void>;
  /** A request with the token, that of the run where that is asked for, and with JSON where there is a body. */
  request(path: string, init?: { method?: string; body?: string; headers?: Record<string, string> }): Promise<Response>;
}

/** The API over a Control in memory, on a free port. */
export async function serve(
  options: {
    allowedOrigins?: string[];
    host?: string;
    allowRemote?: boolean;
    port?: number;
    events?: MemoryEvents;
    dashboard?: string;
  } = {},
): Promise<Serving> {
  const events = options.events ?? new MemoryEvents();
  const memory = new MemoryControl(events);
  const timers = new HeldTimers();
  const { log, lines } = recordingLog();
  const feed = new Feed({ source: events, clock: timers.clock, log });
  const security = { allowRemote: options.allowRemote ?? false, allowedOrigins: options.allowedOrigins ?? [] };
  const tokenOf = (id: string) => (id === examples.getRun.response.id ? tokenOfRun : undefined);
  const api = createApi({
    control: memory.control,
    feed,
    token,
    dashboard: options.dashboard ?? "/nowhere",
    runToken: tokenOf,
    security,
    log,
    clock: timers.clock,
    version: "0.1.0",
  });
  const { url, port } = await api.start(options.host ?? "127.0.0.1", options.port ?? 0);
  return {
    url,
    port,
    memory,
    events,
    timers,
    lines,
    client: createClient({ url, token, actor: "cli" }),
    stop: () => api.stop(),
    request: (path, init = {}) =>
      fetch(url + path, {
        ...init,
        headers: {
          authorization: `Bearer ${/^\/api\/(?:hooks|broker)\//.test(path) ? tokenOfRun : token}`,
          ...(init.body !== undefined && { "content-type": "application/json" }),
          ...init.headers,
        },
      }),
    [Symbol.asyncDispose]: () => api.stop(),
  };
}

/** A real clock whose timers wait until the test says so. */
export class HeldTimers {
  readonly #timers = new Set<() => void>();
  readonly clock: Clock = {
    ...systemClock,
    setTimer: (_ms, run) => {
      this.#timers.add(run);
      return () => this.#timers.delete(run);
    },
  };

  /** Lets every timer that is set now go off. */
  fire(): void {
    const due = [...this.#timers];
    this.#timers.clear();
    for (const run of due) run();
  }
}

/** The store's side of the feed, in memory. */
export class MemoryEvents implements FeedSource {
  readonly stored: Event[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #beatListeners = new Set<(beats: readonly WorkerHeartbeat[]) => void>();
  reads = 0;

  lastSequence(): number {
    return this.stored.at(-1)?.sequence ?? 0;
  }

  eventsAfter(sequence: number, filter: EventFilter & { limit: number }): Event[] {
    this.reads += 1;
    const wanted = (event: Event) =>
      event.sequence > sequence &&
      (filter.projectId ?? event.projectId) === event.projectId &&
      (filter.taskId ?? event.taskId) === event.taskId;
    return this.stored.filter(wanted).slice(0, filter.limit);
  }

  onCommit(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onHeartbeat(listener: (beats: readonly WorkerHeartbeat[]) => void): void {
    this.#beatListeners.add(listener);
  }

  /** A sign of life of each of some workers. */
  beat(...beats: readonly WorkerHeartbeat[]): void {
    for (const listener of this.#beatListeners) listener(beats);
  }

  /** Commits `count` events of a project and task at once; `size` adds to the bytes of each. */
  commit(count = 1, about: Partial<Pick<Event, "projectId" | "taskId">> = {}, size = 0): void {
    const event = { type: "run.message", data: { text: "x".repeat(size) }, ...about } as const;
    this.append(...Array.from({ length: count }, () => event));
  }

  /** Commits these at once. */
  append(...events: readonly NewEvent[]): void {
    for (const event of events) {
      const sequence = this.lastSequence() + 1;
      this.stored.push({ sequence, at: 1_767_262_500_000 + sequence, projectId: null, taskId: null, runId: null, ...event });
    }
    for (const listener of this.#listeners) listener();
  }
}

function recordingLog(): { log: Log; lines: Serving["lines"] } {
  const lines: Serving["lines"] = [];
  const write =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields });
  const log: Log = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error"), child: () => log };
  return { log, lines };
}

/** Sends these very bytes and returns all that comes back until the connection ends, or until `enough` says so. */
export async function exchange(port: number, bytes: string, enough: (answer: string) => boolean = () => false): Promise<string> {
  const socket = createConnection(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    answer += chunk;
    if (enough(answer)) socket.destroy();
  });
  // A server that ends the connection while we still send: what it said before is the answer.
  socket.on("error", () => {});
  socket.write(bytes);
  await new Promise((resolve) => socket.once("close", resolve));
  return answer;
}

/** A connection that sends a request and reads nothing of the answer. */
export async function stall(port: number, bytes: string): Promise<Socket> {
  const socket = createConnection(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.pause();
  socket.write(bytes);
  return socket;
}
