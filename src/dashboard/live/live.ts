import { createClient, type Client } from "../../client/client.ts";
import { ClientError } from "../../client/client-error.ts";
import type { Event, WorkerHeartbeat } from "../../contract/event.ts";
import { BoardStore } from "./board-store.ts";
import { cleanJson } from "./clean-text.ts";
import { Feed, type Connection } from "./feed.ts";
import { Query, type QueryOptions } from "./query.ts";

const EVENTS_MAX = 500;

/**
 * What this page knows of the daemon: the connection, the board, what its parts have asked, and the newest events. One stream of
 * events keeps all of it up to date. When that comes back after it was lost, everything that is shown is asked anew.
 */
export class Live {
  readonly client: Client;
  readonly board: BoardStore;
  readonly #queries = new Map<string, Query<unknown>>();
  readonly #listeners = new Set<() => void>();
  readonly #feed: Feed;
  #connection: Connection = "connecting";
  #events: readonly Event[] = [];
  #beats: ReadonlyMap<number, number> = new Map();

  constructor() {
    this.client = createClient({ url: location.origin, actor: "dashboard", fetch: fetchClean });
    this.board = new BoardStore({
      loadAll: () => this.client.getBoard(),
      loadSome: async (ids) => (await this.client.getCards({ query: { ids: ids.join(",") } })).cards,
      later,
    });
    const isRefused = () =>
      this.client.getDaemon().then(
        () => false,
        (thrown: unknown) => thrown instanceof ClientError && thrown.code === "unauthorized",
      );
    this.#feed = new Feed(
      {
        onEvent: (event) => this.#onEvent(event),
        onBeat: (beat) => this.#onBeat(beat),
        onConnection: (connection) => this.#onConnection(connection),
      },
      isRefused,
    );
  }

  start(): void {
    this.#feed.open();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly connection = (): Connection => this.#connection;
  /** The newest last. */
  readonly events = (): readonly Event[] => this.#events;
  /** When each worker last gave a sign of life, by its number. */
  readonly beats = (): ReadonlyMap<number, number> => this.#beats;

  /** The one query of that name; what it asks is what was said first. */
  query<Value>(name: string, options: Omit<QueryOptions<Value>, "later">): Query<Value> {
    const known = this.#queries.get(name) ?? new Query<unknown>({ ...options, later });
    this.#queries.set(name, known);
    return known as Query<Value>;
  }

  #onEvent(event: Event): void {
    this.#events = [...this.#events.slice(1 - EVENTS_MAX), event];
    this.board.onEvent(event);
    for (const query of this.#queries.values()) query.onEvent(event);
    this.#tell();
  }

  #onBeat({ at, data }: WorkerHeartbeat): void {
    this.#beats = new Map(this.#beats).set(data.worker, at);
    this.#tell();
  }

  #onConnection(connection: Connection): void {
    const wasLive = this.#connection === "live";
    this.#connection = connection;
    if (connection === "live" && !wasLive) {
      void this.board.load();
      for (const query of this.#queries.values()) query.refresh();
    }
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function later(ms: number, run: () => void): void {
  setTimeout(run, ms);
}

/** The browser's own, but that no text brings control characters along. */
async function fetchClean(input: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  if (!response.headers.get("content-type")?.includes("json")) return response;
  return new Response(cleanJson(await response.text()), { status: response.status, headers: response.headers });
}
