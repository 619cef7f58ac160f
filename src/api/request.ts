import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { AppError } from "../base/errors.ts";
import type { Route } from "../contract/route.ts";

import { readBody, readJson } from "./body.ts";

const BODY_MAX_BYTES = 1024 * 1024;
/** GitHub sends up to 25 MB: https://docs.github.com/en/webhooks/webhook-events-and-payloads */
const WEBHOOK_MAX_BYTES = 25 * 1024 * 1024;

const noQuery = z.strictObject({});

/** What a control method takes, but for who asks. */
export interface ParsedRequest {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request after the schemas of its route. Throws `invalid` with the path of each field that is wrong, or a Refusal. */
export async function parseRequest(
  route: Route,
  sent: { params: Record<string, string>; query: Record<string, string>; incoming: IncomingMessage },
): Promise<ParsedRequest> {
  const params = route.params ? parse(route.params, sent.params) : sent.params;
  const query = parse(route.query ?? noQuery, sent.query);
  if (route.auth === "signature") {
    return { params, query, body: await readBody(sent.incoming, WEBHOOK_MAX_BYTES), headers: singleHeaders(sent.incoming) };
  }
  if (route.method === "GET") return { params, query, body: undefined };
  const json = await readJson(sent.incoming, BODY_MAX_BYTES);
  return { params, query, body: route.body && parse(route.body, json) };
}

function parse(schema: z.ZodType, input: unknown): unknown {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.flatMap(describe);
  throw new AppError("invalid", issues.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join("; "), { issues });
}

function describe(issue: z.core.$ZodIssue): { path: string; message: string }[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({ path: [...path, key].join("."), message: "there is no such field" }));
  return [{ path: path.join("."), message: issue.message }];
}

/** Of a header sent twice the first counts, as node's own parser does for those that may come once. */
function singleHeaders(incoming: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [name, (Array.isArray(value) ? value[0] : value) ?? ""]),
  );
}
