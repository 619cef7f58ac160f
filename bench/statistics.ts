/** What several rounds of one measurement came to. */
export interface Values {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** The value below which the given share (0 to 1) of the samples lies, by nearest rank. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = Float64Array.from(samples).toSorted();
  const value = sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))];
  if (value === undefined) throw new Error("Nothing was measured.");
  return value;
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5);
}

export function valuesOf(samples: readonly number[]): Values {
  return { median: median(samples), least: Math.min(...samples), most: Math.max(...samples) };
}

/** What was measured once, or comes from what was. */
export function single(value: number): Values {
  return { median: value, least: value, most: value };
}

/** What one took more than the other, by their medians, and at least. */
export function difference(one: Values, other: Values): Values {
  const most = one.most - other.most;
  return { median: one.median - other.median, least: one.least - other.least, most };
}

/** Measures several things in turn, `count` times over, so that a change of the machine's mood meets all of them alike. */
export async function rounds<Name extends string>(
  count: number,
  once: (round: number) => Promise<Record<Name, number>>,
): Promise<Record<Name, Values>> {
  const samples = new Map<string, number[]>();
  for (let round = 0; round < count; round += 1) {
    for (const [name, value] of Object.entries<number>(await once(round))) samples.set(name, [...(samples.get(name) ?? []), value]);
  }
  return Object.fromEntries([...samples].map(([name, values]) => [name, valuesOf(values)])) as Record<Name, Values>;
}
