import { z } from "zod";
import { Duration } from "./ids.ts";

/** What the runs that began on one day came to, of one project, workflow or agent. A run that is still open counts with what it has used. */
export const Figure = z.object({
  /** `2026-01-31`, UTC. */
  day: z.string(),
  name: z.string(),
  runs: z.int().nonnegative(),
  succeeded: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  cancelled: z.int().nonnegative(),
  /** Of those that ended, together. */
  durationMs: Duration,
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  costUsdMicros: z.int().nonnegative(),
});
export type Figure = z.infer<typeof Figure>;

export const FigureSubject = z.enum(["project", "workflow", "agent"]);
export type FigureSubject = z.infer<typeof FigureSubject>;
