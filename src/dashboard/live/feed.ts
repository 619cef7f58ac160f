import { Event, WorkerHeartbeat } from "../../contract/event.ts";
import { cleanJson } from "./clean-text.ts";

/** `refused`: the browser has no pass, and nothing comes until it has one. */
export type Connection = "connecting" | "live" | "lost" | "refused";

export interface FeedListener {
  onEvent(event: Event): void;
  onBeat(beat: WorkerHeartbeat): void;
  onConnection(connection: Connection): void;
}

const eventTypes = Event.options.map((option) => option.shape.type.value);
const RETRY_MS = 1500;

/**
 * The one stream of events of this page. A browser follows it again by itself after a lost connection, from the last event that it
 * has; where it gives up, because the daemon answered something else, it is opened anew from there. A page that nobody sees lets go
 * of it, for a browser holds only six connections to one address, over all its pages.
 */
export class Feed {
  readonly #listener: FeedListener;
  /** Whether the daemon says that we may not ask it. */
  readonly #isRefused: () => Promise<boolean>;
  #source: EventSource | undefined;
  #sequence: number | undefined;

  constructor(listener: FeedListener, isRefused: () => Promise<boolean>) {
    this.#listener = listener;
    this.#isRefused = isRefused;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#source?.close() : this.open()));
  }

  open(): void {
    this.#source?.close();
    const source = new EventSource(this.#sequence === undefined ? "/api/events" : `/api/events?after=${this.#sequence}`);
    this.#source = source;
    source.addEventListener("open", () => this.#listener.onConnection("live"));
    source.addEventListener("error", () => void this.#onError(source));
    for (const type of eventTypes) source.addEventListener(type, (message: MessageEvent<string>) => this.#take(message));
    source.addEventListener(WorkerHeartbeat.shape.type.value, ({ data }: MessageEvent<string>) =>
      this.#listener.onBeat(WorkerHeartbeat.parse(JSON.parse(data))),
    );
  }

  #take({ data }: MessageEvent<string>): void {
    // A newer daemon may tell more than we know; what we know of it is the same for ever.
    const event = JSON.parse(cleanJson(data)) as Event;
    this.#sequence = event.sequence;
    this.#listener.onEvent(event);
  }

  async #onError(source: EventSource): Promise<void> {
    if (source !== this.#source || document.hidden) return;
    this.#listener.onConnection("lost");
    if (source.readyState !== EventSource.CLOSED) return;
    if (await this.#isRefused()) return this.#listener.onConnection("refused");
    setTimeout(() => source === this.#source && this.open(), RETRY_MS);
  }
}
