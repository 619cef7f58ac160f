import { z } from "zod";

/**
 * What we read of GitHub's answers (REST API version 2022-11-28). They are checked because octokit hands on the text of a
 * body that was cut short as if it were the data.
 */
const User = z.object({ login: z.string(), type: z.string() }).nullable();

const Time = z.iso.datetime().transform((text) => Date.parse(text));

export const IssueData = z.object({
  number: z.int().positive(),
  title: z.string(),
  body: z.string().nullish(),
  html_url: z.string(),
  state: z.enum(["open", "closed"]),
  labels: z.array(z.union([z.string(), z.object({ name: z.string().nullish() })])),
  user: User,
  author_association: z.string().default("NONE"),
  updated_at: Time,
  comments: z.int().nonnegative(),
  pull_request: z.unknown().optional(),
});
export type IssueData = z.infer<typeof IssueData>;

export const CommentData = z.object({
  id: z.int().positive(),
  body: z.string().nullish(),
  html_url: z.string(),
  user: User,
  author_association: z.string().default("NONE"),
  created_at: Time,
});
export type CommentData = z.infer<typeof CommentData>;

/** An event of an issue; only the kinds that we look for have fields here. */
export const IssueEventData = z.object({
  event: z.string(),
  actor: User.optional(),
  created_at: Time.nullish(),
  label: z.object({ name: z.string() }).nullish(),
});
export type IssueEventData = z.infer<typeof IssueEventData>;

export const PermissionData = z.object({ permission: z.string() });

export const PullData = z.object({
  number: z.int().positive(),
  html_url: z.string(),
  state: z.enum(["open", "closed"]),
  title: z.string(),
  body: z.string().nullish(),
  base: z.object({ ref: z.string() }),
});
export type PullData = z.infer<typeof PullData>;

/** A single pull request says more than a list. `mergeable_state` is worked out by GitHub in its own time: `unknown` until then. */
export const PullDetailData = z.object({
  state: z.enum(["open", "closed"]),
  merged: z.boolean(),
  mergeable_state: z.string().default("unknown"),
  head: z.object({ sha: z.string() }),
});
export type PullDetailData = z.infer<typeof PullDetailData>;

/** What ways of merging a repository allows; told only to who may push. */
export const MergeMethodsData = z.object({
  allow_merge_commit: z.boolean().default(true),
  allow_squash_merge: z.boolean().default(true),
  allow_rebase_merge: z.boolean().default(true),
});

export const MergeData = z.object({ merged: z.boolean() });

/** GraphQL: the text and the time of its last edit, of one moment. */
export const EditedTextData = z.object({
  data: z.object({ repository: z.object({ issue: z.object({ title: z.string(), body: z.string(), lastEditedAt: Time.nullable() }) }) }),
});
