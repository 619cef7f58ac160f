import type { Writable } from "node:stream";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Event } from "../contract/event.ts";
import type { ProjectId, TaskId } from "../contract/ids.ts";

/** Where the feed gets its events: the store, behind three functions. */
export interface FeedSource {
  lastSequence(): number;
  /** The events after `sequence`, in their order, at most `limit`. */
  eventsAfter(sequence: number, filter: EventFilter & { limit: number }): Event[];
  /** Tells after each commit; returns how to stop listening. */
  onCommit(listener: () => void): () => void;
}

export interface EventFilter {
  readonly projectId?: ProjectId;
  readonly taskId?: TaskId;
}

const BATCH = 500;
const KEPT_EVENTS = 2000;
const HEARTBEAT_MS = 15_000;

/**
 * Committed events, as server-sent ones, for every client at once. Each event is read from the store and serialised
 * once, and the newest stay in memory; a client that asks for older ones is served from the store until it caught up.
 *
 * A client has no queue of its own, only a position: what it has not taken yet waits in the memory that all share, and
 * nothing is written while its socket is full. So a client that does not read delays nobody, and it is dropped when it
 * has taken nothing from one heartbeat to the next.
 */
export class Feed {
  readonly #source: FeedSource;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #clients = new Set<Client>();
  /** The newest events. The memory holds every event after `#memoryStart`, up to `#sequence`. */
  #memory: Entry[] = [];
  #memoryStart = 0;
  #sequence = 0;
  /** Batches made since the last commit: clients at the same place with the same filter share their bytes. */
  readonly #batches = new Map<string, Batch>();
  #isWaking = false;
  #stopListening: (() => void) | undefined;
  #cancelHeartbeat: (() => void) | undefined;

  constructor(parts: { source: FeedSource; clock: Clock; log: Log }) {
    this.#source = parts.source;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  start(): void {
    this.#stopListening ??= this.#source.onCommit(() => this.#wake());
    this.#cancelHeartbeat ??= this.#clock.setTimer(HEARTBEAT_MS, () => this.#beat());
  }

  /** Ends every stream; clients may come back and go on where they were. */
  stop(): void {
    this.#stopListening?.();
    this.#cancelHeartbeat?.();
    this.#stopListening = undefined;
    this.#cancelHeartbeat = undefined;
    for (const client of this.#clients) client.stream.end();
    this.#clients.clear();
  }

  /** Sends `stream` what was committed after `after` (default: from now on), until it closes or the feed stops. */
  add(stream: Writable, options: EventFilter & { after?: number | undefined }): void {
    if (this.#clients.size === 0) this.#forget();
    // A position from another life of the database would hide everything up to it.
    const position = Math.min(options.after ?? this.#sequence, this.#sequence);
    const filter: EventFilter = {
      ...(options.projectId && { projectId: options.projectId }),
      ...(options.taskId && { taskId: options.taskId }),
    };
    const client: Client = { stream, filter, filterKey: JSON.stringify(filter), position, isStalled: false };
    this.#clients.add(client);
    stream.on("drain", () => {
      client.isStalled = false;
      this.#send(client);
    });
    stream.on("close", () => this.#clients.delete(client));
    // A write that meets a socket just gone fails here; `close` follows and is all we need to know.
    stream.on("error", () => {});
    // The id tells a client where it stands before anything happened; a block without data is no event.
    stream.write(`retry: 1000\nid: ${position}\n\n`);
    this.#send(client);
  }

  /** Nobody listened, so the memory is out of date: begin at the store's end. */
  #forget(): void {
    this.#memory = [];
    this.#batches.clear();
    this.#sequence = this.#source.lastSequence();
    this.#memoryStart = this.#sequence;
  }

  /** Once per turn of the event loop and outside of the commit, however many commits there were. */
  #wake(): void {
    if (this.#isWaking || this.#clients.size === 0) return;
    this.#isWaking = true;
    this.#clock.defer(() => {
      this.#isWaking = false;
      if (this.#clients.size === 0) return;
      this.#takeIn();
      for (const client of this.#clients) this.#send(client);
    });
  }

  #takeIn(): void {
    this.#batches.clear();
    let events: Event[];
    do {
      events = this.#source.eventsAfter(this.#sequence, { limit: BATCH });
      for (const event of events) this.#memory.push(entryOf(event));
      this.#sequence = events.at(-1)?.sequence ?? this.#sequence;
    } while (events.length === BATCH);
    // Cut seldom, so that the cost of moving the rest is spread over many events.
    if (this.#memory.length > 2 * KEPT_EVENTS) {
      this.#memory.splice(0, this.#memory.length - KEPT_EVENTS);
      this.#memoryStart = (this.#memory[0]?.sequence ?? this.#sequence + 1) - 1;
    }
  }

  #send(client: Client): void {
    while (client.position < this.#sequence && !client.stream.writableNeedDrain && !client.stream.destroyed) {
      const batch = this.#batchFor(client);
      client.position = batch.upTo;
      if (batch.bytes.length > 0) client.stream.write(batch.bytes);
    }
  }

  #batchFor(client: Client): Batch {
    if (client.position < this.#memoryStart) return this.#readBatch(client);
    const key = `${client.position} ${client.filterKey}`;
    const known = this.#batches.get(key);
    if (known) return known;
    const from = this.#memory.findLastIndex((entry) => entry.sequence <= client.position) + 1;
    const entries = this.#memory.slice(from, from + BATCH);
    const batch = {
      bytes: Buffer.from(
        entries
          .filter((entry) => matches(entry, client.filter))
          .map((entry) => entry.text)
          .join(""),
      ),
      upTo: entries.at(-1)?.sequence ?? this.#sequence,
    };
    this.#batches.set(key, batch);
    return batch;
  }

  #readBatch(client: Client): Batch {
    const events = this.#source.eventsAfter(client.position, { ...client.filter, limit: BATCH });
    const last = events.at(-1)?.sequence ?? 0;
    return {
      bytes: Buffer.from(events.map((event) => entryOf(event).text).join("")),
      // A short page means that nothing more matches, up to where the memory ends.
      upTo: events.length === BATCH ? last : Math.max(last, this.#sequence),
    };
  }

  #beat(): void {
    this.#cancelHeartbeat = this.#clock.setTimer(HEARTBEAT_MS, () => this.#beat());
    for (const client of this.#clients) {
      if (!client.stream.writableNeedDrain) client.stream.write(": heartbeat\n\n");
      else if (!client.isStalled) client.isStalled = true;
      else this.#drop(client);
    }
  }

  #drop(client: Client): void {
    this.#clients.delete(client);
    this.#log.warn("Event client dropped: it took nothing for a whole heartbeat", { position: client.position, sequence: this.#sequence });
    client.stream.destroy();
  }
}

interface Client {
  readonly stream: Writable;
  readonly filter: EventFilter;
  readonly filterKey: string;
  /** The sequence up to which everything was written to the stream. */
  position: number;
  isStalled: boolean;
}

interface Entry {
  readonly sequence: number;
  readonly projectId: ProjectId | null;
  readonly taskId: TaskId | null;
  readonly text: string;
}

interface Batch {
  readonly bytes: Buffer;
  /** Everything up to this sequence was looked at. */
  readonly upTo: number;
}

function entryOf(event: Event): Entry {
  return {
    sequence: event.sequence,
    projectId: event.projectId,
    taskId: event.taskId,
    text: `id: ${event.sequence}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
  };
}

function matches(entry: Entry, filter: EventFilter): boolean {
  return (
    (filter.projectId === undefined || entry.projectId === filter.projectId) &&
    (filter.taskId === undefined || entry.taskId === filter.taskId)
  );
}
