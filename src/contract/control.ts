import type { z } from "zod";
import type { Route } from "./route.ts";
import type { RouteName, Routes } from "./routes.ts";

/** The `{names}` in a path, each a string. */
type PathParams<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? { [Key in Name]: string } & PathParams<Rest>
  : unknown;

/** What a route takes after its schemas; `unknown` where it takes nothing. */
export type ParamsOf<One extends Route> = One extends { params: infer Params extends z.ZodType }
  ? z.output<Params>
  : PathParams<One["path"]>;
export type QueryOf<One extends Route> = One extends { query: infer Query extends z.ZodType } ? z.output<Query> : unknown;
type BodyOf<One extends Route> = One extends { auth: "signature" }
  ? Uint8Array
  : One extends { body: infer Body extends z.ZodType }
    ? z.output<Body>
    : undefined;

/** Who asks, for the audit log, and when they no longer wait for the answer. */
export interface Caller {
  readonly actor: string;
  readonly signal: AbortSignal;
}

/**
 * A request after its schemas: defaults filled in, numbers and booleans made of their texts. A webhook comes as it was
 * sent, because its signature is over the bytes: `body` is raw and `headers` (names in lower case) are there.
 */
export type RequestOf<Name extends RouteName> = Caller & {
  readonly params: ParamsOf<Routes[Name]>;
  readonly query: QueryOf<Routes[Name]>;
  readonly body: BodyOf<Routes[Name]>;
} & (Routes[Name] extends { auth: "signature" } ? { readonly headers: Readonly<Record<string, string>> } : unknown);

export type ResponseOf<Name extends RouteName> = z.output<Routes[Name]["response"]>;

type Awaitable<Value> = Value | Promise<Value>;

/** Answered by the API itself: its own description, how browsers get in, and the event stream (`api/feed.ts`). */
type AnsweredByApi = "getOpenApi" | "getDocs" | "createLoginLink" | "logOut" | "streamEvents";
export type ControlName = Exclude<RouteName, AnsweredByApi>;

/**
 * What the API asks of the engine: one method a route. A failure is an `AppError`. `details.issues`, a list of
 * `{ path, message }`, names the fields of an `invalid` request; `details.retryAfterMs` says when to try again;
 * `details.reason: "queue_full"` makes an `unavailable` one "too many requests". A stream is an iterable, ended by its
 * `signal` as well as by itself; what can be refused is refused before it is returned, because then nothing was sent yet.
 */
export type Control = {
  readonly [Name in ControlName]: (
    request: RequestOf<Name>,
  ) => Awaitable<Routes[Name] extends { answers: "stream" } ? AsyncIterable<ResponseOf<Name>> : ResponseOf<Name>>;
};
