import type { AgentConfig } from "../contract/config.ts";
import type { Usage } from "../contract/proof.ts";

/** What has been spent of a budget, and what may come on top: all in millionths of a US dollar. */
export interface Spending {
  readonly spent: number;
  /** What the runs that are open may cost yet. */
  readonly reserved: number;
  /** How many those are. */
  readonly open: number;
}

/**
 * Whether a run that may cost `expected` (Infinity: nobody knows) fits into what is left of a budget. Runs that might
 * exceed it together do not start together; the last bit is for one alone, which is stopped when it is used up.
 */
export function fits({ spent, reserved, open }: Spending, expected: number, limit: number): boolean {
  return spent < limit && (open === 0 || spent + reserved + expected <= limit);
}

/** The same usage with its cost, where the agent told none and its prices are known. */
export function priced(usage: Usage, prices: AgentConfig["usdPerMillionTokens"]): Usage {
  if (usage.costUsdMicros !== null || prices === null) return usage;
  const { inputTokens, outputTokens, cacheReadTokens } = usage;
  // A dollar a million tokens is a millionth of a dollar a token.
  const cost = inputTokens * prices.input + outputTokens * prices.output + cacheReadTokens * prices.cacheRead;
  return { ...usage, costUsdMicros: Math.ceil(cost) };
}

/** What a budget of tokens counts. */
export function countedTokens({ inputTokens, outputTokens }: Pick<Usage, "inputTokens" | "outputTokens">): number {
  return inputTokens + outputTokens;
}

/** Millionths of a dollar. */
export function micros(usd: number): number {
  return Math.round(usd * 1_000_000);
}
