import { cutText } from "./agent-text.ts";
import type { CodexStart } from "./codex-lines.ts";
import type { AgentVerdict } from "./driver.ts";
import { failure, reasonOfStatus } from "./run-ending.ts";

type Failure = Extract<AgentVerdict, { ok: false }>;

/** Why a turn failed, by Codex's words; its errors have no code of their own. `started`: when the run began. */
export function judgeCodexFailure(message: string, started: CodexStart | undefined): Failure {
  const text = `Codex failed: ${cutText(message, 2000)}`;
  if (LIMIT.test(message)) return failure("usage_limit", text, started ? readResetTime(message, started) : null);
  if (LOGIN.test(message)) return failure("auth", text);
  const [, status] = /\bstatus:? (\d{3})\b/u.exec(message) ?? [];
  if (status !== undefined) return failure(reasonOfStatus(Number(status)), text);
  return failure(OUTAGE.test(message) ? "overloaded" : "agent_error", text);
}

const LIMIT = /\busage limit\b|\bquota exceeded\b|\bout of credits\b|\bspend limit\b/iu;
const LOGIN =
  /\bnot logged in\b|\baccess token could not be refreshed\b|\blog in again\b|\bsign in again\b|\binvalid_api_key\b|\bmissing environment variable\b/iu;
const OUTAGE =
  /\bstream disconnected\b|\bhigh demand\b|\bat capacity\b|\berror sending request\b|\btimeout waiting\b|\bserver_error\b|\bconnection\b/iu;

const RESET =
  /\btry again at (?:(?<month>[A-Z][a-z]{2}) (?<day>\d{1,2})(?:st|nd|rd|th)?, (?<year>\d{4}) )?(?<hour>\d{1,2}):(?<minute>\d{2}) (?<half>[AP])M\b/u;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * When a limit ends, epoch milliseconds; null: not told. Codex says the minute in which it does, in the zone of the machine:
 * `try again at 3:05 PM` on the same day, else `try again at Nov 27th, 2026 3:05 PM`.
 */
function readResetTime(message: string, { at, zone }: CodexStart): number | null {
  const { month, day, year, hour, minute, half } = RESET.exec(message)?.groups ?? {};
  if (hour === undefined) return null;
  const offsetMs = Number(`${zone.charAt(0)}1`) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3))) * MINUTE_MS;
  const hours = (Number(hour) % 12) + (half === "P" ? 12 : 0);
  const today = new Date(at * 1000 + offsetMs);
  const date =
    month === undefined
      ? Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate())
      : Date.UTC(Number(year), MONTHS.indexOf(month), Number(day));
  // The end of that minute.
  const resetsAt = date + (hours * 60 + Number(minute) + 1) * MINUTE_MS - offsetMs;
  return month === undefined && resetsAt <= at * 1000 ? resetsAt + DAY_MS : resetsAt;
}
