import { z } from "zod";
import { RunId } from "./ids.ts";
import { RunProgress, RunState } from "./run.ts";

/** A configured agent: whether it can be used, and what it does now. */
export const AgentStatus = z.object({
  name: z.string(),
  driver: z.string(),
  found: z.boolean(),
  /** The program that would be started; null: it was not found. */
  program: z.string().nullable(),
  version: z.string().nullable(),
  /** Null: it can't be told without asking its maker. */
  loggedIn: z.boolean().nullable(),
  /** Whether it takes a message while it works. */
  takesMessages: z.boolean(),
  /** Why it can't be used and what to do; null: it can. */
  problem: z.string().nullable(),
  runs: z.array(z.object({ id: RunId, taskKey: z.string(), stage: z.string(), progress: RunProgress, state: RunState.nullable() })),
});
export type AgentStatus = z.infer<typeof AgentStatus>;
