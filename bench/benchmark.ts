import type { Values } from "./statistics.ts";

/** Measures one part of the product beside the limit that the machine sets for it. */
export type Benchmark = (options: BenchmarkOptions) => Promise<Figure[]>;

export interface BenchmarkOptions {
  /** How often everything is measured; the medians over the rounds are shown. */
  readonly rounds: number;
  /** A smaller load: the figures are rough. */
  readonly quick: boolean;
}

/** A figure of ours and what it is held against, all in one unit. */
export interface Figure {
  readonly name: string;
  readonly unit: "ms" | "µs" | "kB" | "MB" | "×" | "/s";
  readonly ours: Values;
  readonly limit: { readonly name: string; readonly value: Values } | null;
  /** `first` should hold now, `later` is where it is to go; at most. */
  readonly goal: { readonly first: number; readonly later?: number } | null;
}
