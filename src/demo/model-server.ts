import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import { type Clock, sleep } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { anthropicMessages } from "./anthropic-messages.ts";
import type { ModelApi, StreamPart } from "./model-api.ts";
import { locate, type ModelRequest, type ModelScript, type ModelStep, type ModelUsage, type Position } from "./model-script.ts";

/** Where it listens: a port of 127.0.0.1 (0: any free one), or a unix socket. */
export type ModelAddress = { readonly port: number } | { readonly socket: string };

/** A request to the model, kept for tests and for the demo's log. */
export interface JournalEntry {
  readonly at: number;
  readonly scenario: string;
  readonly turn: number;
  readonly headers: IncomingHttpHeaders;
  /** As it was sent. */
  readonly body: string;
}

export interface ModelServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`; for a unix socket its path. */
  readonly address: string;
  /** The latest requests to the model, oldest first. */
  readonly journal: readonly JournalEntry[];
  close(): Promise<void>;
}

const JOURNAL_MAX = 200;
const BODY_MAX_BYTES = 32 * 1024 * 1024;
/** Whoever asks for the same turn this often goes round in circles. */
const SAME_TURN_MAX = 1000;
const NO_USAGE: ModelUsage = { inputTokens: 1000, outputTokens: 50, cacheReadTokens: 0 };

export interface ModelServerOptions {
  readonly script: ModelScript;
  readonly listen: ModelAddress;
  readonly clock: Clock;
  /** The providers it answers for; default: Anthropic alone. */
  readonly apis?: readonly ModelApi[];
}

/** Serves a scripted model on this machine. Nothing it answers depends on what an earlier run asked but how often a step has failed. */
export async function startModelServer(options: ModelServerOptions): Promise<ModelServer> {
  const model = new ScriptedModel(options);
  const server = createServer((request, response) => void model.handle(request, response));
  const { listen } = options;
  server.listen("socket" in listen ? { path: listen.socket } : { port: listen.port, host: "127.0.0.1" });
  await once(server, "listening");
  const close = async () => {
    model.stop();
    await closeServer(server);
  };
  return { address: addressOf(server), journal: model.journal, close, [Symbol.asyncDispose]: close };
}

function addressOf(server: Server): string {
  const address = server.address();
  return typeof address === "object" ? `http://127.0.0.1:${address?.port}` : address;
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, "close");
  server.close();
  server.closeAllConnections();
  await closed;
}

class ScriptedModel {
  readonly journal: JournalEntry[] = [];
  readonly #script: ModelScript;
  readonly #clock: Clock;
  readonly #apis: readonly ModelApi[];
  readonly #stopped = new AbortController();
  /** How often each turn of a scenario has been asked for. */
  readonly #asked = new Map<string, number>();
  #serial = 0;

  constructor({ script, clock, apis = [anthropicMessages] }: ModelServerOptions) {
    this.#script = script;
    this.#clock = clock;
    this.#apis = apis;
  }

  stop(): void {
    this.#stopped.abort();
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
      const body = await readBody(request);
      const api = this.#apis.find((one) => one.serves(path));
      if (api && request.method === "POST")
        return await this.#ask(api, api.read(JSON.parse(body), path), { headers: request.headers, body }, response);
      const aside = this.#apis.map((one) => one.aside(path)).find((answer) => answer !== undefined);
      // Agents look with HEAD whether the server is there.
      sendJson(
        response,
        aside || request.method === "HEAD" ? 200 : 404,
        aside ?? { error: { message: `The scripted model has no ${path}.` } },
      );
    } catch (thrown) {
      if (this.#stopped.signal.aborted || response.destroyed) return; // the server or the asker is gone: nobody waits for an answer
      sendJson(response, 400, { type: "error", error: { type: "invalid_request_error", message: messageOf(thrown) } });
    }
  }

  async #ask(api: ModelApi, request: ModelRequest, sent: Pick<JournalEntry, "headers" | "body">, response: ServerResponse): Promise<void> {
    const { scenario, turn, step } = locate(this.#script, request);
    this.journal.push({ at: this.#clock.now(), scenario, turn, ...sent });
    if (this.journal.length > JOURNAL_MAX) this.journal.shift();
    const asked = this.#count({ scenario, turn, step });
    if (asked > SAME_TURN_MAX)
      return sendJson(response, 400, api.error(400, `"${scenario}" has been asked for turn ${turn + 1} too often.`));
    if (step.delayMs) await sleep(this.#clock, step.delayMs, this.#stopped.signal);
    const trouble = step.trouble && asked <= (step.trouble.times ?? Infinity) ? step.trouble : undefined;
    if (trouble?.kind === "hang") return;
    if (trouble?.kind === "error") {
      return sendJson(
        response,
        trouble.status,
        trouble.body ?? api.error(trouble.status, trouble.message ?? "scripted error"),
        trouble.headers,
      );
    }
    const answer = answerOf(++this.#serial, step);
    const parts = request.stream ? eventsOf(api.stream(request, answer)) : [JSON.stringify(api.whole(request, answer))];
    response.writeHead(200, { "content-type": request.stream ? "text/event-stream" : "application/json", "cache-control": "no-cache" });
    if (trouble?.kind !== "cut") return void response.end(parts.join(""));
    response.write(parts.slice(0, Math.floor(parts.length / 2)).join(""), () => response.destroy());
  }

  #count({ scenario, turn }: Position): number {
    const key = `${scenario}#${turn}`;
    const asked = (this.#asked.get(key) ?? 0) + 1;
    this.#asked.set(key, asked);
    return asked;
  }
}

function answerOf(serial: number, { text = "", calls = [], usage }: ModelStep) {
  return { serial, text, calls, usage: { ...NO_USAGE, ...usage } };
}

function eventsOf(parts: readonly StreamPart[]): string[] {
  return parts.map(({ event, data }) => `${event === null ? "" : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_MAX_BYTES) throw new Error("The request is too big.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}
