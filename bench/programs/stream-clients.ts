// Many clients of a stream of server-sent events. Notes when each of them has read each event.

import { connect } from "node:net";
import { monotonicMs } from "../parts/monotonic.ts";

export type StreamQuestion = { readonly open: number; readonly url: string; readonly token: string } | { readonly until: number };

/** `received`: for each client, the event's id to when it came. */
export interface StreamAnswer {
  readonly received: readonly ReadonlyMap<number, number>[];
}

let received: Map<number, number>[] = [];
let onEvent: () => void = () => {};

process.on("message", (question: StreamQuestion) => {
  if ("open" in question) void openAll(question);
  else void answerOnce(question.until);
});

async function openAll({ open, url, token }: Extract<StreamQuestion, { open: number }>): Promise<void> {
  received = Array.from({ length: open }, () => new Map<number, number>());
  await Promise.all(received.map((events) => openClient(new URL(url), token, events)));
  process.send?.({ received: [] } satisfies StreamAnswer);
}

/** Resolves when the first block has come. A raw socket, so that reading costs as little as it can. */
function openClient({ hostname, port, pathname }: URL, token: string, events: Map<number, number>): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    socket.on("error", reject);
    socket.write(
      `GET ${pathname} HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${token}\r\naccept: text/event-stream\r\n\r\n`,
    );
    let rest = "";
    socket.on("data", (chunk: Buffer) => {
      const at = monotonicMs();
      const text = rest + chunk.toString("latin1");
      const whole = text.slice(0, text.lastIndexOf("\n") + 1);
      rest = text.slice(whole.length);
      for (const [, id] of whole.matchAll(/^id: (\d+)\nevent/gm)) events.set(Number(id), at);
      resolve();
      onEvent();
    });
  });
}

/** When every client has read so many events. */
function answerOnce(count: number): Promise<void> {
  return new Promise((resolve) => {
    onEvent = () => {
      if (received.some((events) => events.size < count)) return;
      onEvent = () => {};
      process.send?.({ received } satisfies StreamAnswer);
      resolve();
    };
    onEvent();
  });
}
