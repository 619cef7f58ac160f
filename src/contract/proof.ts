import { z } from "zod";
import { GateEvidence } from "./gate.ts";
import { Duration } from "./ids.ts";

/** What one command did in one tree. `failures` are the names of failing tests that we could read from its output, sorted. */
export const CheckResult = z.object({
  exitCode: z.int().nullable().meta({ description: "null: ended by a signal or by its time limit" }),
  durationMs: Duration,
  failures: z.array(z.string()),
  /** The last lines of its output, redacted, for a person who wants to know why. */
  outputTail: z.string(),
});
export type CheckResult = z.infer<typeof CheckResult>;

/**
 * `passed`: green before and after. `fixed`: red before, green now. `known_failure`: red before and after with no new
 * failure; does not count. `broken`: something fails now that did not fail on the base; the run has failed.
 */
export const CheckVerdict = z.enum(["passed", "fixed", "known_failure", "broken"]);
export type CheckVerdict = z.infer<typeof CheckVerdict>;

/** A check, run by us on the base and on the result. */
export const CheckComparison = z.object({
  name: z.string(),
  command: z.string(),
  base: CheckResult,
  head: CheckResult,
  verdict: CheckVerdict,
  /** Failures of `head` that `base` did not have. */
  newFailures: z.array(z.string()),
});
export type CheckComparison = z.infer<typeof CheckComparison>;

/** Tokens and money of one run, as its agent reported them. Cost in millionths of a US dollar; null: not reported. */
export const Usage = z.object({
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  cacheReadTokens: z.int().nonnegative(),
  costUsdMicros: z.int().nonnegative().nullable(),
});
export type Usage = z.infer<typeof Usage>;

export const noUsage: Usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, costUsdMicros: null };

/** What shows that a task is done; it goes with the pull request. */
export const Proof = z.object({
  baseCommit: z.string(),
  headCommit: z.string(),
  /** The name of its tree: the same for the same files. */
  tree: z.string().optional(),
  /** Lines of `git diff --stat` over the two, at most 50. */
  changes: z.array(z.string()),
  checks: z.array(CheckComparison),
  /** What the gate of the stage saw, if it has one. */
  gate: GateEvidence.optional(),
});
export type Proof = z.infer<typeof Proof>;
