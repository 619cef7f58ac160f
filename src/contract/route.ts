import { z } from "zod";

/**
 * One route of the API (routes.ts). `auth: "none"` is for health only; `"signature"` for webhooks, which prove themselves by HMAC; `"run"` for what an agent may
 * ask: the token of the run in its path opens it, and nothing else.
 */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `/api/tasks/{task}`; each `{name}` is a string unless `params` says otherwise. */
  readonly path: string;
  readonly summary: string;
  readonly auth: "token" | "none" | "signature" | "run";
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** `stream`: server-sent events whose data are of the `response` schema. `text` and `html`: a string. */
  readonly answers: "json" | "stream" | "text" | "html";
  readonly status: 200 | 201 | 202;
  readonly response: z.ZodType;
}
/** A route with what most have alike left out. */
export const route = <const One extends Omit<Route, "auth" | "answers" | "status"> & Partial<Pick<Route, "auth" | "answers" | "status">>>(
  one: One,
) => ({ auth: "token", answers: "json", status: 200, ...one }) as Defaulted<One>;
type Defaulted<One> = Omit<{ auth: "token"; answers: "json"; status: 200 }, keyof One> & One;

/** Lists come in pages: `next` is the `after` of the following one; null: this was the last. */
export const page = <Item extends z.ZodType>(item: Item) => z.object({ items: z.array(item), next: z.string().nullable() });
export const limit = z.coerce.number().int().min(1).max(500).default(50).meta({ type: "integer", description: "items a page" });
export const after = z.string().optional().meta({ description: "the `next` of the page before" });
