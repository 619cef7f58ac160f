import { AppError } from "../../base/errors.ts";
import { safeLine } from "../../base/text.ts";

export type ResponseHeaders = Readonly<Record<string, string | number | undefined>>;

/** A refused request as octokit throws it (`RequestError`); without headers, no answer came at all. */
export interface Refusal {
  readonly status: number;
  readonly message: string;
  readonly headers: ResponseHeaders | undefined;
}

/** What was asked for, for the sentence: `GET /repos/a/b/issues`, and from where the token came. */
export interface Asked {
  readonly what: string;
  readonly repository: string;
  readonly tokenVariable: string;
  readonly host: string;
}

/** GitHub asks for a minute's pause after a secondary limit that names no time (docs: "rate limits for the REST API"). */
const SECONDARY_PAUSE_MS = 60_000;

/**
 * A refusal as our error. `unavailable`: trying again later can help (`retryAfterMs` where GitHub says when). `invalid`: a
 * person must change the token, its permissions or the settings. `not_found` and `conflict`: as GitHub says.
 */
export function toFailure(refusal: Refusal, asked: Asked, now: number): AppError {
  const { status, headers } = refusal;
  const said = safeLine(refusal.message);
  const details = { status, asked: asked.what };
  if (headers === undefined) {
    return new AppError("unavailable", `Cannot reach ${asked.host}: ${said}.`, details);
  }
  const limitMs = limitPause(refusal, now);
  if (limitMs !== undefined) {
    return new AppError("unavailable", `${asked.host} limits how often it is asked: ${said}`, { ...details, retryAfterMs: limitMs });
  }
  if (status >= 500) {
    const retryAfterMs = retryAfter(headers, now);
    return new AppError("unavailable", `${asked.host} failed (HTTP ${status}) at ${asked.what}.`, {
      ...details,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    });
  }
  if (status === 401) {
    return new AppError("invalid", `${asked.host} refuses the token in ${asked.tokenVariable}: ${said}. Put a valid one there.`, details);
  }
  if (status === 403) {
    return new AppError(
      "invalid",
      `The token in ${asked.tokenVariable} may not ${asked.what}: ${said}. Give it read and write access to issues, pull requests and contents of ${asked.repository}.`,
      details,
    );
  }
  if (status === 404 || status === 410) return new AppError("not_found", `${asked.host} has nothing at ${asked.what}.`, details);
  if (status === 409) return new AppError("conflict", `${asked.host} cannot do ${asked.what} now: ${said}.`, details);
  return new AppError("invalid", `${asked.host} refuses ${asked.what} (HTTP ${status}): ${said}.`, details);
}

/** How long to leave GitHub alone after a primary or secondary limit; undefined: this is none. */
function limitPause({ status, message, headers = {} }: Refusal, now: number): number | undefined {
  if (status !== 403 && status !== 429) return undefined;
  const named = retryAfter(headers, now);
  if (named !== undefined) return named;
  if (String(headers["x-ratelimit-remaining"]) === "0") return untilReset(headers, now);
  return status === 429 || /secondary rate|abuse/i.test(message) ? SECONDARY_PAUSE_MS : undefined;
}

/** Milliseconds until the primary limit is reset, one second more because its times are whole seconds. */
export function untilReset(headers: ResponseHeaders, now: number): number {
  const resetAt = Number(headers["x-ratelimit-reset"]) * 1000;
  return Number.isFinite(resetAt) ? Math.max(0, resetAt - serverTime(headers, now)) + 1000 : SECONDARY_PAUSE_MS;
}

/** The server's own time, so that a wrong clock here does not stretch or skip a wait. */
export function serverTime(headers: ResponseHeaders, now: number): number {
  const date = Date.parse(String(headers["date"]));
  return Number.isNaN(date) ? now : date;
}

/** `Retry-After` as milliseconds: a number of seconds or a date. */
function retryAfter(headers: ResponseHeaders, now: number): number | undefined {
  const value = headers["retry-after"];
  if (value === undefined) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const at = Date.parse(String(value));
  return Number.isNaN(at) ? undefined : Math.max(0, at - serverTime(headers, now));
}
