import type { Clock } from "../base/clock.ts";
import type { BrokerAnswer, BrokerQuery } from "../contract/broker.ts";
import type { ProjectId } from "../contract/ids.ts";
import type { Reading } from "../forge/forge.ts";

/** How long an answer is given again without asking anybody, milliseconds. */
const FRESH_MS = 15_000;
/** An answer can be some hundred KB. */
const ENTRIES_MAX = 200;

interface Entry {
  readonly answer: BrokerAnswer;
  readonly etag: string | null;
  readonly at: number;
}

/** What was read for agents of late, each project's for itself: so that many who ask the same cost one request. */
export class ReadingCache {
  readonly #clock: Clock;
  /** The one used last comes last. */
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param read asks the forge, given the ETag of what is known. */
  async get(project: ProjectId, query: BrokerQuery, read: (etag: string | null) => Promise<Reading>): Promise<BrokerAnswer> {
    const key = JSON.stringify([project, query]);
    const known = this.#entries.get(key);
    if (known && this.#clock.elapsed() - known.at < FRESH_MS) return known.answer;
    const reading = await read(known?.etag ?? null);
    const at = this.#clock.elapsed();
    if (!reading.changed && !known) throw new Error("The forge says that nothing changed since nothing was read.");
    const entry = reading.changed ? { answer: reading.answer, etag: reading.etag, at } : { ...(known as Entry), at };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > ENTRIES_MAX && oldest !== undefined) this.#entries.delete(oldest);
    return entry.answer;
  }
}
