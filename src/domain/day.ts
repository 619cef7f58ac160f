/** A day of the calendar where the daemon is: its name, `2026-01-31`, and when it ends, epoch milliseconds. */
export interface Day {
  readonly name: string;
  readonly endsAt: number;
}

/** The day of a moment, in the time zone of this process; one on which clocks change is shorter or longer than others. */
export function dayOf(at: number): Day {
  const date = new Date(at);
  const endsAt = new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1).getTime();
  return { name: `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`, endsAt };
}

/** A moment for people, to the minute: `2026-01-31 14:05`, in the time zone of this process. */
export function minuteOf(at: number): string {
  const date = new Date(at);
  return `${dayOf(at).name} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
