import { z } from "zod";
import { ProjectId, TaskId, Timestamp } from "./ids.ts";
import { ProjectName } from "./project.ts";

/**
 * What becomes of a finished branch. open: it waits to be merged. left: it is left alone, `message` says why. merged: it is in the base.
 * closed: its pull request was closed without a merge.
 */
export const BranchState = z.enum(["open", "left", "merged", "closed"]);
export type BranchState = z.infer<typeof BranchState>;

/** The branch of a finished task. */
export const Branch = z.object({
  taskId: TaskId,
  taskKey: z.string(),
  title: z.string(),
  projectId: ProjectId,
  project: ProjectName,
  /** Its name at the remote. */
  name: z.string(),
  /** The commit of the base that it builds on, and its last one: what its proof is about. */
  baseCommit: z.string(),
  headCommit: z.string(),
  state: BranchState,
  /** Why it is left, or what it waits for in the queue; null: nothing to say. */
  message: z.string().nullable(),
  /** Where it is in the merge queue, counted up over all projects; null: it is not in it. */
  place: z.int().positive().nullable(),
  pullRequest: z.object({ number: z.int().positive(), url: z.string() }).nullable(),
  updatedAt: Timestamp,
});
export type Branch = z.infer<typeof Branch>;
