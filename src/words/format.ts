const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long ago, in one unit: `3 min ago`. A time that is not past yet is `now`. */
export function ago(at: number, now: number): string {
  const ms = now - at;
  if (ms < 1000) return "now";
  return `${inOneUnit(ms)} ago`;
}

/** A length of time in one unit: `42 s`, `3 min`, `5 h`, `2 days`. */
export function inOneUnit(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.floor(ms / 1000)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) return `${Math.floor(ms / HOUR_MS)} h`;
  return `${Math.floor(ms / DAY_MS)} days`;
}

/** Millionths of a dollar as `$0.08`; `-` where an agent named no cost. */
export function money(costUsdMicros: number | null): string {
  return costUsdMicros === null ? "-" : `$${(costUsdMicros / 1_000_000).toFixed(2)}`;
}

/** `41k`, `1.2M`. */
export function count(value: number): string {
  if (value < 10_000) return String(value);
  return value < 1_000_000 ? `${Math.round(value / 1000)}k` : `${(value / 1_000_000).toFixed(1)}M`;
}

export function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MB`;
}

/** `1 task`, `3 tasks`. */
export function plural(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? "" : "s"}`;
}

/** `2026-01-31 14:05:09`, local time. */
export function dateTime(at: number): string {
  const date = new Date(at);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}
