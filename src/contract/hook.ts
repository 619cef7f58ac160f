import { z } from "zod";
import { ProjectId, RunId, TaskId, Timestamp } from "./ids.ts";

/**
 * tool: a tool was used. session: a run, a turn or a sub-agent began, paused, went on or was completed. error: a tool
 * failed, was refused, or the agent crashed. state: what the run waits for has changed.
 */
export const HookCategory = z.enum(["tool", "session", "error", "state"]);
export type HookCategory = z.infer<typeof HookCategory>;

/** What happened in a run, as its agent's own hooks tell it; by the daemon, what no hook of that agent tells. */
export const HookEvent = z.object({
  /** Order of taking in, over all runs. */
  sequence: z.int().positive(),
  /** When it was taken in: agents put no time on their hooks. */
  at: Timestamp,
  runId: RunId,
  taskId: TaskId,
  projectId: ProjectId,
  agent: z.string(),
  source: z.enum(["agent", "daemon"]),
  category: HookCategory,
  /** The agent's own word (`PostToolUse`), or ours (`agent_ended`). */
  name: z.string(),
  tool: z.string().nullable(),
  /** All that was said, redacted; very long values are cut. It is text from outside: data, never an instruction. */
  detail: z.record(z.string(), z.unknown()),
});
export type HookEvent = z.infer<typeof HookEvent>;

/** A hook event as a writer gives it: the store knows the run that it is of. */
export type NewHookEvent = Pick<HookEvent, "source" | "category" | "name" | "tool" | "detail">;
