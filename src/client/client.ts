import type { z } from "zod";
import type { ParamsOf, QueryOf, ResponseOf } from "../contract/control.ts";
import type { Route } from "../contract/route.ts";
import { Problem, routes, type RouteName, type Routes } from "../contract/routes.ts";
import { ClientError } from "./client-error.ts";
import { readBlocks } from "./event-stream.ts";

export interface ClientOptions {
  /** `http://127.0.0.1:3003` */
  readonly url: string;
  /** Left out where a browser's pass goes along by itself. */
  readonly token?: string;
  /** Who acts, for the audit log; default: `api`. */
  readonly actor?: "cli" | "dashboard";
  readonly fetch?: typeof fetch;
}

type InputOf<One extends Route> = (unknown extends ParamsOf<One> ? unknown : { readonly params: ParamsOf<One> }) &
  (unknown extends QueryOf<One> ? unknown : { readonly query?: { readonly [Key in keyof QueryOf<One>]?: QueryOf<One>[Key] | undefined } }) &
  (One extends { body: infer Body extends z.ZodType }
    ? Record<string, never> extends z.input<Body>
      ? { readonly body?: z.input<Body> }
      : { readonly body: z.input<Body> }
    : unknown) & { readonly signal?: AbortSignal };

type AnswerOf<Name extends RouteName> = Routes[Name] extends { answers: "stream" }
  ? AsyncIterable<ResponseOf<Name>>
  : Promise<ResponseOf<Name>>;

/** A webhook is sent by its forge, which signs it, and a hook by an agent with the token of its run; no client does. */
type ClientRoute = Exclude<RouteName, "receiveGithubWebhook" | "receiveHook">;

/** One method a route: `client.getTask({ params: { task: "api#42" } })`. Every failure is a `ClientError`. */
export type Client = {
  readonly [Name in ClientRoute]: (
    ...input: Record<string, never> extends InputOf<Routes[Name]> ? [input?: InputOf<Routes[Name]>] : [input: InputOf<Routes[Name]>]
  ) => AnswerOf<Name>;
};

/**
 * A typed client of the API, for Node and for browsers. A stream goes on over lost connections, from the event after the
 * last one that came, and gives up when nothing answers for half a minute. An abort rejects with the signal's reason.
 */
export function createClient(options: ClientOptions): Client {
  const methods = Object.entries(routes).map(([name, route]: [string, Route]) => [
    name,
    (input: Sent = {}) => (route.answers === "stream" ? follow(options, route, input) : ask(options, route, input)),
  ]);
  return Object.fromEntries(methods) as Client;
}

/** A request as its route's method takes it, for any route. */
interface Sent {
  readonly params?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

async function ask(options: ClientOptions, route: Route, sent: Sent): Promise<unknown> {
  const response = await send(options, route, sent, {});
  try {
    return await (route.answers === "json" ? response.json() : response.text());
  } catch (thrown) {
    if (sent.signal?.aborted) throw thrown;
    if (thrown instanceof SyntaxError) throw problemError(undefined, response.status);
    throw new ClientError("unavailable", `${options.url} broke off in the middle of its answer.`, { cause: thrown });
  }
}

const RETRY_DELAYS_MS = [100, 250, 500, 1000, 2000, 4000, 5000, 5000, 5000, 5000];

async function* follow(options: ClientOptions, route: Route, sent: Sent): AsyncGenerator {
  let lastId: string | undefined;
  let failures = 0;
  for (;;) {
    try {
      const response = await send(options, route, sent, lastId === undefined ? {} : { "last-event-id": lastId });
      for await (const block of readBlocks(response)) {
        failures = 0;
        lastId = block.id ?? lastId;
        if (block.event === "end") return;
        if (block.event === "problem") throw problemError(JSON.parse(block.data), 200);
        // What has no id is no part of the record: a worker's sign of life.
        if (block.data !== "" && block.id !== undefined) yield JSON.parse(block.data);
      }
    } catch (thrown) {
      if (!isLost(thrown) || sent.signal?.aborted) throw thrown;
    }
    const delayMs = RETRY_DELAYS_MS[failures];
    failures += 1;
    if (delayMs === undefined) throw new ClientError("unavailable", `Nothing answers at ${options.url} any more.`);
    await pause(delayMs, sent.signal);
  }
}

async function send(options: ClientOptions, route: Route, sent: Sent, headers: Record<string, string>): Promise<Response> {
  const request: RequestInit = {
    method: route.method,
    headers: {
      ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
      ...(options.actor !== undefined && { "drover-actor": options.actor }),
      ...(sent.body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(sent.body !== undefined && { body: JSON.stringify(sent.body) }),
    ...(sent.signal && { signal: sent.signal }),
  };
  const response = await connect(options, addressOf(options.url, route, sent), request);
  // A daemon that starts or stops says so with 503, in the same words as otherwise.
  if (response.ok || (route === routes.health && response.status === 503)) return response;
  throw problemError(await response.json().catch(() => undefined), response.status);
}

async function connect(options: ClientOptions, address: URL, request: RequestInit): Promise<Response> {
  try {
    return await (options.fetch ?? fetch)(address, request);
  } catch (thrown) {
    if (request.signal?.aborted) throw thrown;
    throw new ClientError("unavailable", `Nothing answers at ${options.url}.`, { cause: thrown });
  }
}

/** The error that a problem stands for; an answer that is no problem of ours comes from some other program. */
function problemError(body: unknown, status: number): ClientError {
  const problem = Problem.safeParse(body).data;
  if (problem === undefined) return new ClientError("unavailable", `What answers there is not Drover (HTTP ${status}).`, { status });
  const { code, detail, issues, retryAfterMs } = problem;
  return new ClientError(code, detail, { status: problem.status, issues, retryAfterMs });
}

function addressOf(url: string, route: Route, sent: Sent): URL {
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(sent.params?.[name])));
  const address = new URL(path, url);
  for (const [name, value] of Object.entries(sent.query ?? {})) if (value !== undefined) address.searchParams.set(name, String(value));
  return address;
}

/** Whether the connection failed, or the daemon is on its way up or down: what trying again can mend. */
function isLost(thrown: unknown): boolean {
  return thrown instanceof ClientError ? thrown.code === "unavailable" : thrown instanceof TypeError;
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal?.reason);
    if (signal?.aborted) return onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    // oxlint-disable-next-line no-restricted-globals -- The client runs in other programs and in browsers; it has no Clock.
    setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
  });
}
