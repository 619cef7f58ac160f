/** What a provider's message says of a used-up allowance. */
export interface UsageLimit {
  /** When it is there again, epoch milliseconds; null: the message does not say. */
  readonly resetsAt: number | null;
}

/**
 * Reads Claude Code's messages about a plan's limits. Its newer versions also send the time as a number, which counts more;
 * these are the words of all versions, as users have reported them (`usage-limit.test.ts` has the list).
 * @param at when it was said: a time of day means the next one after it. Null: unknown, so such a time can't be told.
 */
export function readUsageLimit(message: string, at: number | null): UsageLimit | undefined {
  if (!isLimit(message)) return undefined;
  const epoch = /\|(\d{10})\b/u.exec(message)?.[1];
  if (epoch !== undefined) return { resetsAt: Number(epoch) * 1000 };
  return { resetsAt: at === null ? null : readResetTime(message, at) };
}

const LIMIT = /\blimit reached\b|\b(?:hit|reached) your (?:[\w' -]+ )?limit\b|\bout of (?:extra )?usage\b/iu;

function isLimit(message: string): boolean {
  return LIMIT.test(message.replaceAll("’", "'"));
}

const RESET =
  /\bresets?(?: at)? (?:(?<month>[A-Z][a-z]{2}) (?<day>\d{1,2})(?:,| at) )?(?<hour>\d{1,2})(?::(?<minute>\d{2}))? ?(?<half>[ap])m\b(?: \((?<zone>[\w+/-]+)\))?/iu;
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAY_MS = 24 * 3600 * 1000;

function readResetTime(message: string, at: number): number | null {
  const { month, day, hour = "", minute = "0", half = "", zone } = RESET.exec(message)?.groups ?? {};
  const timeZone = zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (hour === "" || !isTimeZone(timeZone)) return null;
  const hours = (Number(hour) % 12) + (half.toLowerCase() === "p" ? 12 : 0);
  const today = new Date(wallClock(at, timeZone));
  const wall = (date: { year: number; month: number; day: number }) =>
    instantOf(Date.UTC(date.year, date.month, date.day, hours, Number(minute)), timeZone);
  const year = today.getUTCFullYear();
  if (month !== undefined) {
    const index = MONTHS.indexOf(month.toLowerCase());
    if (index === -1) return null;
    const thisYear = wall({ year, month: index, day: Number(day) });
    // Said in December of a day in January.
    return thisYear > at - DAY_MS ? thisYear : wall({ year: year + 1, month: index, day: Number(day) });
  }
  const sameDay = { year, month: today.getUTCMonth(), day: today.getUTCDate() };
  const resetsAt = wall(sameDay);
  return resetsAt > at ? resetsAt : wall({ ...sameDay, day: sameDay.day + 1 });
}

function isTimeZone(name: string): boolean {
  try {
    Intl.DateTimeFormat("en-US", { timeZone: name });
    return true;
  } catch {
    return false; // RangeError: no zone of this name
  }
}

/** What the clocks of a zone show at an instant, as if that were UTC. */
function wallClock(at: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(at);
  const number = (type: Intl.DateTimeFormatPartTypes) => Number(parts.find((part) => part.type === type)?.value);
  return Date.UTC(number("year"), number("month") - 1, number("day"), number("hour"), number("minute"), number("second"));
}

/** The instant at which the clocks of a zone show `wall`. */
function instantOf(wall: number, timeZone: string): number {
  const guess = wall - (wallClock(wall, timeZone) - wall);
  // The offset may differ between the guess and the result when a change to or from summer time lies between.
  return wall - (wallClock(guess, timeZone) - guess);
}
