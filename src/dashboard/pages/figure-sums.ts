import type { Figure } from "../../contract/figures.ts";

export type Sums = Omit<Figure, "day" | "name">;

const nothing: Sums = { runs: 0, succeeded: 0, failed: 0, cancelled: 0, durationMs: 0, inputTokens: 0, outputTokens: 0, costUsdMicros: 0 };

export function sumOf(figures: readonly Figure[]): Sums {
  return figures.reduce<Sums>(
    (sum, one) => ({
      runs: sum.runs + one.runs,
      succeeded: sum.succeeded + one.succeeded,
      failed: sum.failed + one.failed,
      cancelled: sum.cancelled + one.cancelled,
      durationMs: sum.durationMs + one.durationMs,
      inputTokens: sum.inputTokens + one.inputTokens,
      outputTokens: sum.outputTokens + one.outputTokens,
      costUsdMicros: sum.costUsdMicros + one.costUsdMicros,
    }),
    nothing,
  );
}

/** Of those that came to an end by themselves, how many succeeded, in percent; null: none did. */
export function successPercent({ succeeded, failed }: Sums): number | null {
  return succeeded + failed === 0 ? null : Math.round((100 * succeeded) / (succeeded + failed));
}

/** How long a run took on average; null: none has ended. */
export function meanDurationMs({ durationMs, succeeded, failed, cancelled }: Sums): number | null {
  const ended = succeeded + failed + cancelled;
  return ended === 0 ? null : Math.round(durationMs / ended);
}

const DAY_MS = 24 * 3_600_000;

/** The last days up to `now`, each with its sums; a day on which nothing began is there too. */
export function byDay(figures: readonly Figure[], days: number, now: number): { day: string; sums: Sums }[] {
  const groups = Map.groupBy(figures, ({ day }) => day);
  return Array.from({ length: days }, (_, index) => {
    const day = new Date(now - (days - 1 - index) * DAY_MS).toISOString().slice(0, 10);
    return { day, sums: sumOf(groups.get(day) ?? []) };
  });
}
