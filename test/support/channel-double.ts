import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface ChannelRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What the double does with a request in place of taking it: refuse it, never answer, or take it and break off before the answer. */
export type ChannelFault =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  | "hangs"
  | "lost_reply";

/** A loopback server in the place of Slack's, Telegram's or anybody's: notes every request and takes it unless a fault is next. */
export class ChannelDouble implements AsyncDisposable {
  readonly requests: ChannelRequest[] = [];
  readonly faults: ChannelFault[] = [];
  readonly #server = createServer((request, response) => void this.#take(request, response));

  static async start(): Promise<ChannelDouble> {
    const double = new ChannelDouble();
    double.#server.listen(0, "127.0.0.1");
    await once(double.#server, "listening");
    return double;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What was sent as text, in order. */
  get texts(): unknown[] {
    return this.requests.map(({ body }) => body["text"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse(await text(request)) as ChannelRequest["body"];
    this.requests.push({ path: request.url ?? "", headers: request.headers, body });
    this.#answer(response, this.faults.shift());
  }

  #answer(response: ServerResponse, fault: ChannelFault | undefined): void {
    if (fault === "hangs") return;
    if (fault === "lost_reply") return void response.destroy();
    response.writeHead(fault?.status ?? 200, fault?.headers).end(fault === undefined ? "ok" : fault.body);
  }
}
