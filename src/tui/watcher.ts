import { messageOf } from "../base/errors.ts";
import type { Client } from "../client/client.ts";
import { Shown } from "../words/shown.ts";
import type { Action } from "./update.ts";

interface WatcherParts {
  readonly connect: () => Promise<Client>;
  readonly send: (action: Action) => void;
}

/** Follows what one run's agent prints, and never more than one. */
export class Watcher {
  readonly #parts: WatcherParts;
  readonly #signal: AbortSignal;
  #current = new AbortController();

  constructor(parts: WatcherParts, signal: AbortSignal) {
    this.#parts = parts;
    this.#signal = signal;
  }

  watch(run: string): void {
    this.stop();
    this.#current = new AbortController();
    void this.#follow(run, AbortSignal.any([this.#signal, this.#current.signal]));
  }

  stop(): void {
    this.#current.abort();
  }

  async #follow(run: string, signal: AbortSignal): Promise<void> {
    const { connect, send } = this.#parts;
    try {
      const client = await connect();
      for await (const { text } of client.getRunOutput({ params: { run }, query: { follow: true }, signal })) {
        const lines = Shown.lines(text).parts.flatMap((part) => part.text.split("\n"));
        send({ type: "printed", run, lines });
      }
      send({ type: "printedAll", run });
    } catch (thrown) {
      if (!signal.aborted) send({ type: "notice", text: messageOf(thrown), isFailure: true });
    }
  }
}
