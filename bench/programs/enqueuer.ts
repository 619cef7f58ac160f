// Posts what it is told to, one request at a time, and says when it sent it.

import { Agent, request } from "node:http";
import { monotonicMs } from "../parts/monotonic.ts";

export interface Enqueued {
  readonly sentAt: number;
  readonly status: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

process.on("message", ({ url, token, body }: { url: string; token: string; body: object }) => {
  const text = JSON.stringify(body);
  const sentAt = monotonicMs();
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json", "content-length": Buffer.byteLength(text) };
  const asked = request(url, { agent, method: "POST", headers }, (response) => {
    response.resume().on("end", () => process.send?.({ sentAt, status: response.statusCode ?? 0 } satisfies Enqueued));
  });
  asked.end(text);
});
