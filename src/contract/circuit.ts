import { z } from "zod";
import { RunId, Timestamp } from "./ids.ts";

/**
 * What a circuit breaker stands before. `system`: everything. `worker`: one agent of the configuration. `stage`: one stage of
 * one workflow.
 */
export const CircuitLevel = z.enum(["system", "worker", "stage"]);
export type CircuitLevel = z.infer<typeof CircuitLevel>;

/** `closed`: tasks start. `open`: none does. `half_open`: one may, and what becomes of it decides. */
export const CircuitState = z.enum(["closed", "open", "half_open"]);
export type CircuitState = z.infer<typeof CircuitState>;

/** A circuit breaker: it stops what keeps failing, for a while. */
export const Circuit = z.object({
  /** `system`, `worker:claude`, `stage:issue.implement` */
  id: z.string(),
  level: CircuitLevel,
  state: CircuitState,
  /** Failures since the last success. */
  failures: z.int().nonnegative(),
  /** When an open one lets a trial start; null: it is not open. */
  openUntil: Timestamp.nullable(),
  /** The run that a half-open one has let start. */
  trialRunId: RunId.nullable(),
  /** The last failure that it counted, in a sentence. */
  message: z.string().nullable(),
});
export type Circuit = z.infer<typeof Circuit>;

/** How many circuits are in each state. */
export const CircuitSummary = z.object({ closed: z.int(), open: z.int(), halfOpen: z.int() });
export type CircuitSummary = z.infer<typeof CircuitSummary>;

/** Whose limits some agents share: a login or key at a provider. */
export const Account = z.object({
  /** What the settings call it, or its driver and a hash of its credentials. */
  key: z.string(),
  /** The agents of the configuration that use it. */
  agents: z.array(z.string()),
  /** How many of its agents run now. */
  running: z.int().nonnegative(),
  /** How many may, since the provider was overloaded; null: as many as there are workers. */
  runningMax: z.int().positive().nullable(),
  /** At its usage limit until then; null: it is not. */
  limitedUntil: Timestamp.nullable(),
  /** Nothing new starts before, since the provider was overloaded; null: it may. */
  pausedUntil: Timestamp.nullable(),
  /** What the provider said last when it refused. */
  message: z.string().nullable(),
});
export type Account = z.infer<typeof Account>;

/** Why queued tasks that are due do not start. `no_seat`: as many run as may. */
export const Hold = z.object({
  reason: z.enum(["circuit_open", "usage_limit", "overloaded", "budget", "no_seat", "pool", "rate"]),
  message: z.string(),
  /** When that may change by itself; null: it can't be told. */
  until: Timestamp.nullable(),
});
export type Hold = z.infer<typeof Hold>;
