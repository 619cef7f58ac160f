import { expect, test } from "vitest";
import { readRetryAfter } from "./retry-after.ts";

const NOW = Date.UTC(2026, 0, 1, 12);
const google = (retryDelay: string) =>
  JSON.stringify({
    error: {
      code: 429,
      details: [{ "@type": "type.googleapis.com/google.rpc.Help" }, { "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay }],
    },
  });

const cases: [what: string, headers: Record<string, string>, body: string, waitMs: number | null][] = [
  ["nothing", {}, "", null],
  ["seconds", { "retry-after": "2" }, "", 2000],
  ["parts of seconds", { "retry-after": "0.25" }, "", 250],
  ["a date", { "retry-after": "Thu, 01 Jan 2026 12:01:00 GMT" }, "", 60_000],
  ["a date that is past", { "retry-after": "Thu, 01 Jan 2026 11:00:00 GMT" }, "", 0],
  ["milliseconds, which are more exact", { "retry-after": "2", "retry-after-ms": "1500" }, "", 1500],
  ["words", { "retry-after": "soon" }, "", null],
  ["a negative number", { "retry-after-ms": "-5" }, "", null],
  [
    "Anthropic's limits, of which one is used up",
    {
      "anthropic-ratelimit-requests-remaining": "5",
      "anthropic-ratelimit-requests-reset": "2026-01-01T13:00:00Z",
      "anthropic-ratelimit-input-tokens-remaining": "0",
      "anthropic-ratelimit-input-tokens-reset": "2026-01-01T12:00:20Z",
    },
    "",
    20_000,
  ],
  [
    "OpenAI's limits, both used up",
    {
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "1m2.5s",
      "x-ratelimit-remaining-tokens": "0",
      "x-ratelimit-reset-tokens": "120ms",
    },
    "",
    62_500,
  ],
  ["a limit that is used up, and no time", { "x-ratelimit-remaining-requests": "0" }, "", null],
  ["Google's RetryInfo", {}, google("12.5s"), 12_500],
  ["another thing in Google's place", {}, google("later"), null],
  ["a body that is no JSON", {}, "<html>", null],
];
test.each(cases)("%s", (_what, headers, body, waitMs) => {
  expect(readRetryAfter({ headers, body }, NOW)).toBe(waitMs);
});
