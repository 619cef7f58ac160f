import type { Event } from "../../contract/event.ts";

/** What is known of something that is shown: its value as of the last answer, and why there was none since. */
export interface Answer<Value> {
  readonly value: Value | undefined;
  readonly error: Error | undefined;
}

export interface QueryOptions<Value> {
  readonly load: (signal: AbortSignal) => Promise<Value>;
  /** Whether an event may have changed the answer. */
  readonly isAbout: (event: Event) => boolean;
  /** Calls later, once. */
  readonly later: (ms: number, run: () => void) => void;
}

/** So many events at once are answered by one question, milliseconds. */
const GATHER_MS = 40;
/** Between two answers of one query at least, so that many events don't keep the daemon busy with us. */
const REST_MS = 250;

/**
 * Something that is asked of the API and asked again when an event says that it may have changed: never by a timer alone. However
 * many events come, one question is under way at a time, and the last event is followed by a question.
 */
export class Query<Value> {
  readonly #options: QueryOptions<Value>;
  readonly #listeners = new Set<() => void>();
  #answer: Answer<Value> = { value: undefined, error: undefined };
  #state: "idle" | "planned" | "asking" | "asking again" = "idle";
  #aborter: AbortController | undefined;

  constructor(options: QueryOptions<Value>) {
    this.#options = options;
  }

  readonly answer = (): Answer<Value> => this.#answer;

  readonly subscribe = (listener: () => void): (() => void) => {
    if (this.#listeners.size === 0) this.refresh(0);
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#aborter?.abort();
    };
  };

  onEvent(event: Event): void {
    if (this.#listeners.size > 0 && this.#options.isAbout(event)) this.refresh(GATHER_MS);
  }

  /** Asks again, soon. */
  refresh(afterMs = GATHER_MS): void {
    if (this.#state === "asking") this.#state = "asking again";
    if (this.#state !== "idle") return;
    this.#state = "planned";
    this.#options.later(afterMs, () => void this.#ask());
  }

  async #ask(): Promise<void> {
    this.#state = "asking";
    const aborter = (this.#aborter = new AbortController());
    try {
      this.#set({ value: await this.#options.load(aborter.signal), error: undefined });
    } catch (thrown) {
      // Shown where the value would be; a connection that comes back asks again.
      if (!aborter.signal.aborted)
        this.#set({ value: this.#answer.value, error: thrown instanceof Error ? thrown : new Error(String(thrown)) });
    }
    const again = (this.#state as string) === "asking again";
    this.#state = "idle";
    if (again) this.refresh(REST_MS);
  }

  #set(answer: Answer<Value>): void {
    this.#answer = answer;
    for (const listener of this.#listeners) listener();
  }
}
