import { z } from "zod";

/** What of an answer says when to ask again. Names of headers are in lower case. */
export interface RefusedAnswer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * How long a provider wants to be left alone, milliseconds from `now`; null: it does not say. Read are `retry-after-ms` and
 * `retry-after` (seconds or a date, RFC 9110), else of the limits that are used up the one that is there again last:
 * `anthropic-ratelimit-*-reset` (a date), `x-ratelimit-reset-*` of OpenAI (`6m0s`); else Google's `RetryInfo` in the body.
 */
export function readRetryAfter({ headers, body }: RefusedAnswer, now: number): number | null {
  const told = fromMs(headers["retry-after-ms"]) ?? fromSecondsOrDate(headers["retry-after"], now);
  const wait = told ?? fromLimits(headers, now) ?? fromRetryInfo(body);
  return wait === undefined ? null : Math.max(0, Math.round(wait));
}

function fromMs(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+(?:\.\d+)?$/u.test(text) ? Number(text) : undefined;
}

function fromSecondsOrDate(text: string | undefined, now: number): number | undefined {
  const seconds = fromMs(text);
  return seconds === undefined ? fromDate(text, now) : seconds * 1000;
}

function fromDate(text: string | undefined, now: number): number | undefined {
  const at = Date.parse(text ?? "");
  return Number.isNaN(at) ? undefined : at - now;
}

const REMAINING = /^(?:(?<anthropic>anthropic-ratelimit-(?<ofAnthropic>.+)-remaining)|x-ratelimit-remaining-(?<ofOpenai>.+))$/u;

function fromLimits(headers: RefusedAnswer["headers"], now: number): number | undefined {
  const waits = Object.entries(headers).flatMap(([name, left]) => {
    const { ofAnthropic, ofOpenai } = REMAINING.exec(name)?.groups ?? {};
    if (Number(left) > 0) return [];
    if (ofAnthropic !== undefined) return fromDate(headers[`anthropic-ratelimit-${ofAnthropic}-reset`], now) ?? [];
    return ofOpenai === undefined ? [] : (fromDuration(headers[`x-ratelimit-reset-${ofOpenai}`]) ?? []);
  });
  return waits.length === 0 ? undefined : Math.max(...waits);
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `1h2m3.5s`, `120ms` */
function fromDuration(text: string | undefined): number | undefined {
  if (text === undefined || !/^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/u.test(text)) return undefined;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/gu)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNITS_MS[unit ?? ""] ?? 0),
    0,
  );
}

const GoogleError = z.object({ error: z.object({ details: z.array(z.looseObject({ retryDelay: z.string().optional() })) }) });

function fromRetryInfo(body: string): number | undefined {
  try {
    const { details } = GoogleError.parse(JSON.parse(body)).error;
    return fromDuration(details.find(({ retryDelay }) => retryDelay !== undefined)?.retryDelay);
  } catch {
    return undefined; // another provider's words, or none at all
  }
}
