import { sleep, type Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { ClientError } from "../client/client-error.ts";
import type { Client } from "../client/client.ts";
import type { Event } from "../contract/event.ts";
import { KEPT, staleAfter, type Reading } from "./facts.ts";
import type { Action } from "./update.ts";

export interface LiveParts {
  /** A client of the daemon as it runs now: it may have another port after a restart. */
  readonly connect: () => Promise<Client>;
  readonly clock: Clock;
  readonly send: (action: Action) => void;
}

const PAGE = 500;
const AGAIN_MS = 1000;
/** Requests at once; a daemon with many agents has better things to do. */
const AT_ONCE = 4;

/** Reads everything once, then follows the events, for as long as the signal lets it: over lost connections and restarts of the daemon. */
export async function keepUp(parts: LiveParts, signal: AbortSignal): Promise<void> {
  let sequence: number | undefined;
  while (!signal.aborted) {
    try {
      const client = await parts.connect();
      sequence ??= await readAll(client, parts.send, signal);
      for await (const event of follow(client, sequence, parts, signal)) sequence = event.sequence;
    } catch (thrown) {
      if (signal.aborted) return;
      parts.send({ type: "connection", is: "lost" });
      parts.send({ type: "notice", text: messageOf(thrown), isFailure: true });
    }
    await sleep(parts.clock, AGAIN_MS, signal).catch(() => undefined); // aborted: the loop ends
  }
}

/** The sequence up to which what was read holds at least. The lists that a person looks at first come first. */
async function readAll(client: Client, send: (action: Action) => void, signal: AbortSignal): Promise<number> {
  const daemon = await client.getDaemon({ signal });
  const tell = (reading: Reading) => send({ type: "read", reading });
  tell({ daemon, ...(await readLists(client, allLists, signal)) });
  tell({ runs: (await client.listRuns({ query: { open: true, limit: PAGE }, signal })).items });
  for (const status of ["blocked", "running"] as const)
    tell({ tasks: (await client.listTasks({ query: { status, limit: PAGE }, signal })).items });
  for await (const tasks of pages((query) => client.listTasks({ query, signal }), KEPT.tasks)) tell({ tasks });
  for await (const runs of pages((query) => client.listRuns({ query, signal }), KEPT.runs)) tell({ runs });
  await readEvents(client, daemon.sequence, tell, signal);
  for await (const audit of pages((query) => client.listAudit({ query, signal }), KEPT.audit)) tell({ audit });
  return daemon.sequence;
}

async function* pages<Item>(
  ask: (query: { limit: number; after?: string }) => Promise<{ items: Item[]; next: string | null }>,
  max: number,
): AsyncGenerator<Item[]> {
  let after: string | undefined;
  for (let read = 0; read < max; read += PAGE) {
    const { items, next } = await ask({ limit: PAGE, ...(after !== undefined && { after }) });
    yield items;
    if (next === null) return;
    after = next;
  }
}

/** The newest events, the last page first. */
async function readEvents(client: Client, sequence: number, tell: (reading: Reading) => void, signal: AbortSignal): Promise<void> {
  for (let to = sequence; to > Math.max(0, sequence - KEPT.events); to -= PAGE) {
    const after = Math.max(0, to - PAGE);
    tell({ events: (await client.listEvents({ query: { after: String(after), limit: Math.min(PAGE, to - after) }, signal })).items });
  }
}

/** The events behind a sequence, of which the screen is told, as of what they make out of date. */
async function* follow(client: Client, after: number, { send }: LiveParts, signal: AbortSignal): AsyncGenerator<Event> {
  const stop = new AbortController();
  const freshener = new Freshener(client, send, AbortSignal.any([signal, stop.signal]));
  try {
    // What is no event, such as the number of those that run, may have changed while nobody listened.
    send({ type: "read", reading: await readLists(client, ["daemon"], signal) });
    send({ type: "connection", is: "live" });
    for await (const event of client.streamEvents({ query: { after }, signal })) {
      send({ type: "event", event });
      freshener.note(event);
      yield event;
    }
  } finally {
    stop.abort();
  }
}

const allLists = ["alerts", "circuits", "branches", "projects", "daemon"] as const;
type ListName = (typeof allLists)[number] | "audit";

/** Reads again what events made out of date: each thing once, however many events told of it meanwhile. */
class Freshener {
  readonly #client: Client;
  readonly #send: (action: Action) => void;
  readonly #signal: AbortSignal;
  readonly #stale = new Set<string>();
  #isReading = false;

  constructor(client: Client, send: (action: Action) => void, signal: AbortSignal) {
    this.#client = client;
    this.#send = send;
    this.#signal = signal;
  }

  note(event: Event): void {
    const { task, run, lists = [] } = staleAfter(event);
    for (const key of [task && `task ${task}`, run && `run ${run}`, ...lists.map((name) => `list ${name}`)]) if (key) this.#stale.add(key);
    if (!this.#isReading && this.#stale.size > 0) void this.#read();
  }

  async #read(): Promise<void> {
    this.#isReading = true;
    try {
      while (this.#stale.size > 0 && !this.#signal.aborted) {
        const keys = [...this.#stale].slice(0, AT_ONCE);
        for (const key of keys) this.#stale.delete(key);
        const readings = await Promise.all(keys.map((key) => this.#readOne(key)));
        for (const reading of readings) this.#send({ type: "read", reading });
      }
    } catch (thrown) {
      // The stream of events ends for the same reason and says so; then all is read anew.
      if (!(thrown instanceof ClientError) && !this.#signal.aborted) throw thrown;
    } finally {
      this.#isReading = false;
    }
  }

  async #readOne(key: string): Promise<Reading> {
    const [kind = "", id = ""] = key.split(" ");
    const signal = this.#signal;
    if (kind === "run") return { runs: [await this.#client.getRun({ params: { run: id }, signal })] };
    if (kind === "list") return readLists(this.#client, [id as ListName], signal);
    const { runs, effects: _effects, checkpoints: _checkpoints, ...task } = await this.#client.getTask({ params: { task: id }, signal });
    return { tasks: [task], runs };
  }
}

async function readLists(client: Client, names: readonly ListName[], signal: AbortSignal): Promise<Reading> {
  const readings = await Promise.all(names.map((name) => readList(client, name, signal)));
  return Object.assign({}, ...readings) as Reading;
}

async function readList(client: Client, name: ListName, signal: AbortSignal): Promise<Reading> {
  switch (name) {
    case "alerts":
      return { alerts: (await client.listAlerts({ query: { open: true, limit: PAGE }, signal })).items };
    case "circuits":
      return { circuits: (await client.listCircuits({ signal })).items };
    case "branches":
      return { branches: (await client.listMerges({ signal })).items };
    case "projects":
      return { projects: (await client.listProjects({ query: { limit: PAGE }, signal })).items };
    case "daemon":
      return { daemon: await client.getDaemon({ signal }) };
    case "audit":
      return { audit: (await client.listAudit({ query: { limit: 50 }, signal })).items };
  }
}
