import { Hono } from "hono";
import { toAppError } from "../base/errors.ts";
import { BrowserPass } from "./browser-pass.ts";
import type { Route } from "../contract/route.ts";
import { routes, type RouteName } from "../contract/routes.ts";
import { createAnswer, type AnswerParts } from "./answer.ts";
import { Refusal } from "./body.ts";
import { DashboardPages, logIn } from "./dashboard-pages.ts";
import { logFailure, logWhenDone, type Env, type Exchange } from "./exchange.ts";
import { asksForPage, changesSomething, TokenCheck, type Gate } from "./guard.ts";
import { problem, problemOf, problemResponse } from "./problem.ts";

export interface AppParts extends Omit<AnswerParts, "pass"> {
  /** The folder of the dashboard's bundle, which need not be there. */
  readonly dashboard: string;
  /** What a caller must show, but on routes that say otherwise. */
  readonly token: string;
  /** What a caller must show on routes of a run (`auth: "run"`); undefined: there is no such run. */
  readonly runToken: (runId: string) => string | undefined;
}

const answerHeaders = Object.entries({
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
});

/** Every route of the table, behind the gate and the token, and the dashboard's pages. `streams` holds those that are open. */
export function createApp(parts: AppParts, gate: Gate, streams: Set<AbortController>): Hono<Env> {
  const app = new Hono<Env>();
  const token = new TokenCheck(parts.token);
  const pass = new BrowserPass(parts.token, parts.clock, gate.port);
  const answer = createAnswer({ ...parts, pass }, streams);
  const authorise = ({ env: { incoming } }: Exchange) => {
    if (token.accepts(incoming.headers.authorization)) return;
    if (!pass.isShownBy(incoming)) throw new Refusal(unauthorised, { "www-authenticate": "Bearer" });
    if (changesSomething(incoming) && !gate.isFromTrustedPage(incoming)) throw new Refusal(notFromOurPage);
  };
  // A run that does not exist is answered as one whose token is wrong: who has none learns nothing.
  const authoriseRun = (exchange: Exchange) => {
    const expected = parts.runToken(exchange.req.param("run") ?? "");
    if (expected === undefined || !new TokenCheck(expected).accepts(exchange.env.incoming.headers.authorization))
      throw new Refusal(notOfRun, { "www-authenticate": "Bearer" });
  };

  app.use((exchange, next) => {
    const { incoming, outgoing } = exchange.env;
    logWhenDone(exchange, parts);
    const headers = [...answerHeaders, ...Object.entries(gate.corsHeaders(incoming))];
    for (const [name, value] of headers) outgoing.setHeader(name, value);
    const refused = gate.refusal(incoming);
    if (refused) throw new Refusal(refused);
    if (incoming.method !== "OPTIONS" || incoming.headers.origin === undefined) return next();
    return Promise.resolve(new Response(null, { status: 204, headers: gate.preflightHeaders(incoming) }));
  });

  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    app.on(route.method, route.path.replace(/\{(\w+)\}/g, ":$1"), (exchange) => {
      exchange.set("pattern", route.path);
      if (route.auth === "token") authorise(exchange);
      if (route.auth === "run") authoriseRun(exchange);
      return answer(name, route, exchange);
    });
  }

  const pages = new DashboardPages(parts.dashboard);
  addPages(app, pages, pass);

  app.notFound((exchange) => {
    if (asksForPage(exchange.env.incoming)) return pages.page();
    authorise(exchange);
    const methods = methodsOf(exchange.req.path);
    if (methods.length === 0) throw new Refusal(problem(404, "not_found", "There is no such route. /openapi.json lists them."));
    throw new Refusal(problem(405, "invalid", `Use ${methods.join(" or ")} here.`), { allow: methods.join(", ") });
  });

  app.onError((thrown, exchange) => {
    if (thrown instanceof Refusal) return problemResponse(thrown.problem, thrown.headers);
    logFailure(parts.log, exchange, thrown);
    return problemResponse(problemOf(toAppError(thrown)));
  });
  return app;
}

/** The dashboard's own files. They need no token: whoever asks for them learns nothing. */
function addPages(app: Hono<Env>, pages: DashboardPages, pass: BrowserPass): void {
  app.get("/", () => pages.page());
  // Browsers ask for it on pages that name no icon.
  app.get("/favicon.ico", () => new Response(null, { status: 204 }));
  app.get("/login", (exchange) => logIn(exchange, pass));
  app.get("/assets/:name", async (exchange, next) => {
    const acceptsBrotli = /\bbr\b/.test(exchange.req.header("accept-encoding") ?? "");
    return (await pages.asset(exchange.req.param("name"), acceptsBrotli)) ?? next();
  });
}

const unauthorised = problem(
  401,
  "unauthorized",
  "Send the token of auth.json, in Drover's home, as `Authorization: Bearer TOKEN`. A browser gets in by the link that `drover dashboard` prints.",
);
const notFromOurPage = problem(403, "forbidden", "A browser's pass is only good for what a page of this very address asks for.");
const notOfRun = problem(
  401,
  "unauthorized",
  "Send the token of this very run, as its agent was given it, as `Authorization: Bearer TOKEN`.",
);

const patterns = Object.values(routes).map((route: Route) => ({
  method: route.method,
  path: new RegExp(`^${route.path.replace(/\{\w+\}/g, "[^/]+").replaceAll(".", "\\.")}$`),
}));

function methodsOf(path: string): string[] {
  return [...new Set(patterns.filter((pattern) => pattern.path.test(path)).map((pattern) => pattern.method))];
}
