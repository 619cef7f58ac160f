import { STATUS_CODES } from "node:http";
import type { AppError, ErrorCode } from "../base/errors.ts";
import { Problem } from "../contract/routes.ts";

/** Which HTTP status each kind of failure has. 499 is nginx's "client closed request": nobody reads that answer. */
const statusOf: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  not_found: 404,
  conflict: 409,
  unavailable: 503,
  timeout: 504,
  cancelled: 499,
  internal: 500,
};

/** A refusal that is about HTTP itself and that no AppError stands for. */
export function problem(
  status: number,
  code: Problem["code"],
  detail: string,
  more: Pick<Problem, "issues" | "retryAfterMs"> = {},
): Problem {
  return { type: "about:blank", title: STATUS_CODES[status] ?? "Client Closed Request", status, detail, code, ...more };
}

/** A failure as the client sees it. What an `internal` one was stays in the log. */
export function problemOf(error: AppError): Problem {
  if (error.code === "internal") return problem(500, "internal", "Drover made a mistake. `drover logs --api` shows what happened.");
  const more = { ...issuesOf(error), ...retryAfterOf(error) };
  if (error.details["reason"] === "queue_full") return problem(429, "too_many", error.message, more);
  return problem(statusOf[error.code], error.code, error.message, more);
}

export function problemResponse(body: Problem, headers: Record<string, string> = {}): Response {
  const retryAfter = body.retryAfterMs === undefined ? {} : { "retry-after": String(Math.max(1, Math.ceil(body.retryAfterMs / 1000))) };
  return new Response(JSON.stringify(body), {
    status: body.status,
    headers: { "content-type": "application/problem+json", ...retryAfter, ...headers },
  });
}

function issuesOf(error: AppError): Pick<Problem, "issues"> {
  const issues = Problem.shape.issues.safeParse(error.details["issues"]);
  return error.code === "invalid" && issues.data !== undefined ? { issues: issues.data } : {};
}

function retryAfterOf(error: AppError): Pick<Problem, "retryAfterMs"> {
  const retryAfterMs = error.details["retryAfterMs"];
  return typeof retryAfterMs === "number" && retryAfterMs >= 0 ? { retryAfterMs: Math.round(retryAfterMs) } : {};
}
