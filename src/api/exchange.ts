import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { Clock } from "../base/clock.ts";
import { toAppError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";

/** What Hono carries with a request. `pattern` is its path in the route table, for the log. */
export type Env = { Bindings: HttpBindings; Variables: { pattern: string } };
export type Exchange = Context<Env>;

/** Only a bug is worth a stack; what the caller did wrong is told to the caller. */
export function logFailure(log: Log, exchange: Exchange, thrown: unknown): void {
  const error = toAppError(thrown);
  if (error.code !== "internal") return;
  const cause = error.cause instanceof Error ? error.cause : error;
  log.error("Request failed", {
    method: exchange.req.method,
    route: exchange.get("pattern"),
    message: error.message,
    stack: cause.stack,
    ...error.details,
  });
}

/** One line for each request, when its answer is complete or its client has gone. No query: it may hold what people wrote. */
export function logWhenDone(exchange: Exchange, { clock, log }: { clock: Clock; log: Log }): void {
  const startedAt = clock.elapsed();
  const { outgoing } = exchange.env;
  outgoing.once("close", () => {
    const durationMs = Math.round((clock.elapsed() - startedAt) * 10) / 10;
    const isComplete = outgoing.writableFinished;
    log.info("Request answered", {
      method: exchange.req.method,
      route: exchange.get("pattern") ?? null,
      status: outgoing.statusCode,
      durationMs,
      isComplete,
    });
  });
}
