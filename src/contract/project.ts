import { z } from "zod";
import { ProjectId, Timestamp } from "./ids.ts";

/** Where a project's issues come from and where its pull requests go. */
export const ForgeKind = z.enum(["github", "local"]);
export type ForgeKind = z.infer<typeof ForgeKind>;

/** Short and unique on this machine: what people type, `api` in `api#42`. */
export const ProjectName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "use 1 to 40 of a-z, 0-9 and -, beginning with a letter or digit");

export const ProjectPriority = z.int().min(0).max(100).meta({ description: "0 to 100; the higher goes first" });
export const ProjectWeight = z.number().min(0.01).max(1000).meta({ description: "share of starts relative to the others" });

/** A registered git repository with its settings. */
export const Project = z.object({
  id: ProjectId,
  name: ProjectName,
  /** The person's own repository, an absolute real path. We read it and write refs of ours; its checkout is never touched. */
  path: z.string(),
  forge: ForgeKind,
  /** `owner/name` on GitHub; null for the local forge. */
  repository: z.string().nullable(),
  /** Where the base is fetched from and branches are pushed to: the remote's URL without credentials, or `path`. */
  remote: z.string(),
  /** The branch that work starts from and pull requests go to. */
  baseBranch: z.string(),
  priority: ProjectPriority,
  weight: ProjectWeight,
  /** A disabled project is not polled and none of its tasks is started; the tasks stay. */
  enabled: z.boolean(),
  registeredAt: Timestamp,
  /** When its forge was last asked with success, and what went wrong since (null: nothing). */
  polledAt: Timestamp.nullable(),
  lastError: z.string().nullable(),
});
export type Project = z.infer<typeof Project>;
