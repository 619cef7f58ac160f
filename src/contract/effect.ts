import { z } from "zod";
import { EffectId, ProjectId, TaskId, Timestamp } from "./ids.ts";

/**
 * What we mean to change outside, stored with the fact that calls for it and carried out after the commit, exactly once.
 * `push`: the task's head to its branch. `pull_request`: open it, or bring the open one up to date. `comment`: the one
 * status comment of the task at its issue, edited in place. `agent_comment`: one of the agent's own beside it. `note`: what
 * its agent wants the pull request to say besides the proof; it stays in the ones that follow.
 */
export const EffectPayload = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("push"), branch: z.string(), commit: z.string() }),
  z.object({
    kind: z.literal("pull_request"),
    branch: z.string(),
    base: z.string(),
    title: z.string(),
    body: z.string(),
    note: z.string().optional(),
  }),
  z.object({ kind: z.literal("agent_comment"), issue: z.int().positive(), body: z.string() }),
  z.object({
    kind: z.literal("comment"),
    issue: z.int().positive(),
    body: z.string(),
    /** Whether the publisher adds a line with the task's pull request, whose address is known only by then. */
    linksPullRequest: z.boolean(),
  }),
]);
export type EffectPayload = z.infer<typeof EffectPayload>;

/** `dropped`: a newer effect of the same kind and task took its place, or its task was taken over by a later claim. */
export const EffectStatus = z.enum(["pending", "done", "failed", "dropped"]);
export type EffectStatus = z.infer<typeof EffectStatus>;

export const Effect = z.object({
  id: EffectId,
  /** Order of carrying out within a task. */
  sequence: z.int().positive(),
  projectId: ProjectId,
  taskId: TaskId,
  epoch: z.int().nonnegative(),
  payload: EffectPayload,
  status: EffectStatus,
  attempt: z.int().nonnegative(),
  /** Not tried before this time. */
  nextAt: Timestamp,
  lastError: z.string().nullable(),
  createdAt: Timestamp,
});
export type Effect = z.infer<typeof Effect>;
