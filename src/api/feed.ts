import type { Writable } from "node:stream";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Event, WorkerHeartbeat } from "../contract/event.ts";
import type { ProjectId, TaskId } from "../contract/ids.ts";

/** Where the feed gets its events: the store, behind three functions. */
export interface FeedSource {
  lastSequence(): number;
  /** The events after `sequence`, in their order, at most `limit`. */
  eventsAfter(sequence: number, filter: EventFilter & { limit: number }): Event[];
  /** Tells after each commit; returns how to stop listening. */
  onCommit(listener: () => void): () => void;
  /** Tells each sign of life of the workers. */
  onHeartbeat(listener: (beats: readonly WorkerHeartbeat[]) => void): void;
}

export interface EventFilter {
  readonly projectId?: ProjectId;
  readonly taskId?: TaskId;
}

const BATCH_EVENTS = 200;
const BATCH_BYTES = 256 * 1024;
const KEPT_EVENTS = 2000;
const KEPT_BYTES = 8 * 1024 * 1024;
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
  #memoryBytes = 0;
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
    this.#source.onHeartbeat((beats) => this.#tellBeats(beats));
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
    this.#memoryBytes = 0;
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
      try {
        this.#takeIn();
      } catch (thrown) {
        // Nothing is skipped: the next commit reads on where this one could not.
        this.#log.error("Events could not be read", { error: messageOf(thrown) });
      }
      for (const client of this.#clients) this.#send(client);
    });
  }

  #takeIn(): void {
    this.#batches.clear();
    let events: Event[];
    do {
      events = this.#source.eventsAfter(this.#sequence, { limit: BATCH_EVENTS });
      for (const event of events) this.#remember(entryOf(event));
    } while (events.length === BATCH_EVENTS);
    // Cut seldom, so that the cost of moving the rest is spread over many events.
    if (this.#memory.length > 2 * KEPT_EVENTS || this.#memoryBytes > 2 * KEPT_BYTES) this.#cut();
  }

  #remember(entry: Entry): void {
    this.#memory.push(entry);
    this.#memoryBytes += entry.bytes.length;
    this.#sequence = entry.sequence;
  }

  #cut(): void {
    let from = this.#memory.length;
    let bytes = 0;
    while (from > 0 && this.#memory.length - from < KEPT_EVENTS && bytes < KEPT_BYTES) {
      from -= 1;
      bytes += this.#memory[from]?.bytes.length ?? 0;
    }
    this.#memoryStart = this.#memory[from - 1]?.sequence ?? this.#memoryStart;
    this.#memory = this.#memory.slice(from);
    this.#memoryBytes = bytes;
  }

  #send(client: Client): void {
    try {
      while (client.position < this.#sequence && !client.stream.writableNeedDrain && !client.stream.destroyed) {
        const batch = this.#batchFor(client);
        client.position = batch.upTo;
        if (batch.bytes.length > 0) client.stream.write(batch.bytes);
      }
    } catch (thrown) {
      this.#drop(client, `its events could not be read: ${messageOf(thrown)}`);
    }
  }

  #batchFor(client: Client): Batch {
    if (client.position < this.#memoryStart) return this.#readBatch(client);
    const key = `${client.position} ${client.filterKey}`;
    const known = this.#batches.get(key);
    if (known) return known;
    const batch = batchOf(this.#memory.slice(this.#memory.findLastIndex(({ sequence }) => sequence <= client.position) + 1), client.filter);
    this.#batches.set(key, batch);
    return batch;
  }

  #readBatch(client: Client): Batch {
    const events = this.#source.eventsAfter(client.position, { ...client.filter, limit: BATCH_EVENTS });
    const batch = batchOf(events.map(entryOf), client.filter);
    // A short page means that nothing more matches, up to where the memory ends.
    const isAll = events.length < BATCH_EVENTS && batch.upTo === (events.at(-1)?.sequence ?? 0);
    return isAll ? { ...batch, upTo: Math.max(batch.upTo, this.#sequence) } : batch;
  }

  /** Not remembered and without an id: whoever was not there, or did not read, has missed nothing that counts. */
  #tellBeats(beats: readonly WorkerHeartbeat[]): void {
    for (const beat of beats) {
      const bytes = `event: ${beat.type}\ndata: ${JSON.stringify(beat)}\n\n`;
      for (const { stream, filter } of this.#clients) {
        if (matches(beat, filter) && !stream.writableNeedDrain && !stream.destroyed) stream.write(bytes);
      }
    }
  }

  #beat(): void {
    this.#cancelHeartbeat = this.#clock.setTimer(HEARTBEAT_MS, () => this.#beat());
    for (const client of this.#clients) {
      if (!client.stream.writableNeedDrain) client.stream.write(": heartbeat\n\n");
      else if (!client.isStalled) client.isStalled = true;
      else this.#drop(client, "it took nothing for a whole heartbeat");
    }
  }

  /** It may come back and go on where it was. */
  #drop(client: Client, reason: string): void {
    this.#clients.delete(client);
    this.#log.warn("Event client dropped", { reason, position: client.position, sequence: this.#sequence });
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
  readonly bytes: Buffer;
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
    bytes: Buffer.from(`id: ${event.sequence}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`),
  };
}

/** The first entries that match, as many as go into one write; 0 is where an empty list ends. */
function batchOf(entries: readonly Entry[], filter: EventFilter): Batch {
  const taken: Buffer[] = [];
  let bytes = 0;
  let upTo = 0;
  for (const entry of entries) {
    if (taken.length === BATCH_EVENTS || bytes > BATCH_BYTES) break;
    upTo = entry.sequence;
    if (!matches(entry, filter)) continue;
    taken.push(entry.bytes);
    bytes += entry.bytes.length;
  }
  return { bytes: Buffer.concat(taken), upTo };
}

function matches(entry: Pick<Entry, "projectId" | "taskId">, filter: EventFilter): boolean {
  return (
    (filter.projectId === undefined || entry.projectId === filter.projectId) &&
    (filter.taskId === undefined || entry.taskId === filter.taskId)
  );
}
