const UNITS = [
  ["days", 86_400_000],
  ["hours", 3_600_000],
  ["minutes", 60_000],
  ["seconds", 1000],
] as const;

/** A time that somebody has waited, in the largest unit of which it has two: `26 hours`, `90 minutes`. */
export function waited(ms: number): string {
  const [name, unitMs] = UNITS.find(([, each]) => ms >= 2 * each) ?? UNITS[3];
  return `${Math.floor(ms / unitMs)} ${name}`;
}
