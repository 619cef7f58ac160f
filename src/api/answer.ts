import type { IncomingMessage, ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Caller, Control, ControlName, RequestOf } from "../contract/control.ts";
import type { Route } from "../contract/route.ts";
import type { Health, RouteName } from "../contract/routes.ts";
import { pageSecurityPolicy, renderHtml } from "./api-page.ts";
import type { BrowserPass } from "./browser-pass.ts";
import { Refusal } from "./body.ts";
import { logFailure, type Exchange } from "./exchange.ts";
import type { Feed } from "./feed.ts";
import { openApiDocument } from "./openapi.ts";
import { sendItems } from "./output-stream.ts";
import { problem } from "./problem.ts";
import { parseRequest, type ParsedRequest } from "./request.ts";

export interface AnswerParts {
  readonly control: Control;
  readonly feed: Feed;
  /** Gets one line a request. */
  readonly log: Log;
  readonly clock: Clock;
  readonly version: string;
  readonly pass: BrowserPass;
}

/** Makes the one function that answers every route: parse by its schemas, ask `control`, send what it says. */
export function createAnswer(parts: AnswerParts, streams: Set<AbortController>) {
  // Its schemas made the request what the method of that name takes; the compiler cannot follow that through a table.
  const methods = parts.control as unknown as Readonly<Record<ControlName, (request: ParsedRequest & Caller) => unknown>>;

  return async (name: RouteName, route: Route, exchange: Exchange): Promise<Response> => {
    const { incoming, outgoing } = exchange.env;
    const parsed = await parseRequest(route, { params: exchange.req.param(), query: exchange.req.query(), incoming });
    if (name === "getOpenApi") return send(exchange, route, openApiDocument(parts.version));
    if (name === "getDocs") return send(exchange, route, renderHtml(openApiDocument(parts.version)));
    if (name === "createLoginLink") {
      const { path, expiresAt } = parts.pass.createLink();
      return send(exchange, route, { url: `http://${incoming.headers.host}${path}`, expiresAt });
    }
    if (name === "logOut") {
      outgoing.setHeader("set-cookie", parts.pass.forget());
      return send(exchange, route, { loggedOut: true });
    }

    const gone = whenGone(outgoing);
    const caller: Caller = { actor: actorOf(incoming), signal: gone.signal };
    if (route.answers !== "stream") {
      const value = await methods[name as ControlName]({ ...parsed, ...caller });
      return send(exchange, route, value, name === "health" ? statusOfHealth(value as Health) : route.status);
    }

    if (incoming.method === "HEAD") throw new Refusal(problem(405, "invalid", "Use GET here."), { allow: "GET" });
    const position = lastEventId(incoming);
    if (name === "streamEvents") {
      const filter = await eventFilter(parts.control, parsed.query as RequestOf<"streamEvents">["query"], caller);
      beginStream(outgoing);
      parts.feed.add(outgoing, { ...filter, ...(position !== undefined && { after: position }) });
      return RESPONSE_ALREADY_SENT;
    }
    const items = (await methods[name as ControlName]({ ...parsed, ...caller })) as AsyncIterable<unknown>;
    beginStream(outgoing);
    streams.add(gone);
    void sendItems(items, outgoing, position ?? 0, gone.signal)
      .catch((thrown: unknown) => logFailure(parts.log, exchange, thrown))
      .finally(() => streams.delete(gone));
    return RESPONSE_ALREADY_SENT;
  };
}

function send(exchange: Exchange, route: Route, value: unknown, status: Route["status"] | 503 = route.status): Response {
  switch (route.answers) {
    case "text":
      return exchange.text(value as string, status);
    case "html":
      return exchange.html(value as string, status, { "content-security-policy": pageSecurityPolicy });
    default:
      return exchange.json(value as object, status);
  }
}

/** For programs that look at nothing else, such as a load balancer. */
function statusOfHealth({ status }: Health): 200 | 503 {
  return status === "starting" || status === "stopping" ? 503 : 200;
}

function beginStream(outgoing: ServerResponse): void {
  outgoing.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  outgoing.flushHeaders();
}

/** Aborts when the client goes away before its answer is complete. */
function whenGone(outgoing: ServerResponse): AbortController {
  const gone = new AbortController();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) gone.abort(new AppError("cancelled", "The client went away."));
  });
  return gone;
}

/** People name a project or task by what they see; events by its id. */
async function eventFilter(control: Control, query: RequestOf<"streamEvents">["query"], caller: Caller) {
  const rest = { query: undefined, body: undefined, ...caller };
  return {
    after: query.after,
    ...(query.project !== undefined && { projectId: (await control.getProject({ params: { project: query.project }, ...rest })).id }),
    ...(query.task !== undefined && { taskId: (await control.getTask({ params: { task: query.task }, ...rest })).id }),
  };
}

function lastEventId(incoming: IncomingMessage): number | undefined {
  const id = incoming.headers["last-event-id"];
  return typeof id === "string" && /^\d{1,15}$/.test(id) ? Number(id) : undefined;
}

/** Who acts, for the audit log. It is what the caller says of itself, not a proof: the token or pass is that. */
function actorOf(incoming: IncomingMessage): "cli" | "dashboard" | "api" {
  const said = incoming.headers["drover-actor"];
  return said === "cli" || said === "dashboard" ? said : "api";
}
