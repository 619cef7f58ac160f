import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import { safeLine } from "../base/text.ts";

const TIMEOUT_MS = 10_000;
/** Of a refusal so much is read: enough for a reason. */
const ANSWER_BYTES_MAX = 4096;
/** Shorter parts of an address are words. */
const SECRET_MIN = 8;
const REASON_MAX = 200;
const RETRY_AFTER_MAX_MS = 24 * 3_600_000;

export interface Post {
  readonly url: string;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the answer asks us to wait, milliseconds, where it says so in its body. */
  readonly retryAfterMs?: (answer: string) => number | undefined;
}

/**
 * Posts JSON and wants success as the answer. The address is a secret: no error names it, and no redirect is followed,
 * which would take it or the body elsewhere. Throws as `Channel.send` does.
 */
export async function post(clock: Clock, { url, body, headers, retryAfterMs }: Post, signal: AbortSignal): Promise<void> {
  const address = addressOf(url);
  const timeout = new AbortController();
  const cancel = clock.setTimer(TIMEOUT_MS, () => timeout.abort(new AppError("timeout", `No answer within ${TIMEOUT_MS / 1000} s.`)));
  try {
    const response = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
      redirect: "manual",
      signal: AbortSignal.any([signal, timeout.signal]),
    });
    // It has been taken; what is said besides may never end.
    if (response.ok) return await response.body?.cancel();
    const answer = await beginningOf(response);
    throw refusal(clock, response, withoutSecrets(answer, address), retryAfterMs?.(answer));
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof AppError) throw thrown;
    throw new AppError("unavailable", `It could not be reached (${causeOf(thrown)}).`);
  } finally {
    cancel();
  }
}

function addressOf(url: string): URL {
  const address = URL.parse(url);
  if (address?.protocol === "https:" || address?.protocol === "http:") return address;
  throw new AppError("invalid", "What the variable holds is not an address that begins with https:// or http://. Correct it.");
}

async function beginningOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  if (body === null) return "";
  let bytes = 0;
  for await (const read of body) {
    const chunk = read as Uint8Array;
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= ANSWER_BYTES_MAX) break;
  }
  return Buffer.concat(chunks).toString("utf8", 0, ANSWER_BYTES_MAX);
}

/** Without the address and its parts: servers like to say which path they do not know. */
function withoutSecrets(answer: string, { href, pathname, search, searchParams }: URL): string {
  const parts = [href, pathname + search, ...pathname.split("/"), ...searchParams.values()].filter((part) => part.length >= SECRET_MIN);
  return parts.reduce((text, part) => text.replaceAll(part, "..."), answer);
}

function refusal(clock: Clock, { status, headers }: Response, answer: string, told: number | undefined): AppError {
  const passes = status === 429 || status === 408 || status >= 500;
  const wait = told ?? retryAfter(headers.get("retry-after"), clock.now());
  const reason = safeLine(answer, REASON_MAX);
  return new AppError(passes ? "unavailable" : "invalid", `It answered ${status}${reason === "" ? "" : `: ${reason}`}`, {
    status,
    ...(wait !== undefined && { retryAfterMs: Math.min(wait, RETRY_AFTER_MAX_MS) }),
  });
}

/** Seconds or a date (RFC 9110, 10.2.3). */
function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return ms >= 0 ? ms : undefined;
}

/** `ECONNREFUSED`: what the network says; the words of `fetch` may hold the address. */
function causeOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  return cause instanceof Error && "code" in cause ? String(cause.code) : "the connection broke";
}
