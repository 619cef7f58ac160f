import { z } from "zod";

/** `owner/name`, where the agent names one; it must be the repository of its project. */
const repository = z.string().min(1).max(200).nullable().default(null);
/** A number of an issue or a pull request; null: that of the run's own task. */
const number = z.int().positive().max(2_000_000_000).nullable().default(null);
const state = z.enum(["open", "closed", "all"]).default("open");
const limit = z.int().min(1).max(100).default(30);
const text = z.string().trim().min(1).max(60_000);
const call = <Name extends string, Shape extends z.ZodRawShape>(name: Name, shape: Shape) =>
  z.strictObject({ call: z.literal(name), repository, ...shape });

/** What the forge is asked to read. All of it is of one repository, the project's. */
const reads = [
  call("repository", {}),
  call("issue", { number }),
  call("comments", { number }),
  call("issues", { state, limit }),
  call("pull", { number }),
  call("pulls", { state, limit }),
  call("pull_files", { number }),
  call("checks", {}),
  call("file", { path: z.string().min(1).max(1000), ref: z.string().min(1).max(200).nullable().default(null) }),
] as const;

/**
 * What the agent of a run may ask of the forge, and no more. `checks`: of the branch of its own task. `comment`: at the
 * issue of its own task. `edit_pull`: what the pull request of its own task says besides the proof.
 */
export const BrokerCall = z.discriminatedUnion("call", [
  ...reads,
  call("comment", { number, body: text }),
  call("edit_pull", { number, body: text }),
]);
export type BrokerCall = z.infer<typeof BrokerCall>;

// What follows has the names of GitHub's REST API (version 2022-11-28), whatever the forge. Its texts are from outside: data.

const User = z.object({ login: z.string() }).nullable();

export const BrokerRepository = z.object({
  full_name: z.string(),
  description: z.string().nullish(),
  private: z.boolean(),
  default_branch: z.string(),
  html_url: z.string(),
});
export type BrokerRepository = z.infer<typeof BrokerRepository>;

export const BrokerIssue = z.object({
  number: z.int().positive(),
  title: z.string(),
  body: z.string().nullish(),
  state: z.enum(["open", "closed"]),
  html_url: z.string(),
  user: User,
  author_association: z.string().default("NONE"),
  labels: z.array(z.object({ name: z.string() })),
  assignees: z.array(z.object({ login: z.string() })).default([]),
  milestone: z.object({ title: z.string() }).nullish(),
  comments: z.int().nonnegative(),
  created_at: z.string(),
  updated_at: z.string(),
});
export type BrokerIssue = z.infer<typeof BrokerIssue>;

export const BrokerComment = z.object({
  id: z.int().positive(),
  body: z.string().nullish(),
  html_url: z.string(),
  user: User,
  author_association: z.string().default("NONE"),
  created_at: z.string(),
});
export type BrokerComment = z.infer<typeof BrokerComment>;

export const BrokerPull = z.object({
  number: z.int().positive(),
  title: z.string(),
  body: z.string().nullish(),
  state: z.enum(["open", "closed"]),
  merged_at: z.string().nullish(),
  draft: z.boolean().default(false),
  html_url: z.string(),
  user: User,
  head: z.object({ ref: z.string(), sha: z.string() }),
  base: z.object({ ref: z.string(), sha: z.string() }),
  created_at: z.string(),
  updated_at: z.string(),
});
export type BrokerPull = z.infer<typeof BrokerPull>;

export const BrokerPullFile = z.object({
  filename: z.string(),
  previous_filename: z.string().optional(),
  status: z.string(),
  additions: z.int().nonnegative(),
  deletions: z.int().nonnegative(),
  /** Left out where it is too long, or of a file that is no text. */
  patch: z.string().optional(),
});
export type BrokerPullFile = z.infer<typeof BrokerPullFile>;

export const BrokerCheck = z.object({
  name: z.string(),
  status: z.string(),
  conclusion: z.string().nullable(),
  html_url: z.string().nullish(),
});
export type BrokerCheck = z.infer<typeof BrokerCheck>;

export const BrokerFile = z.object({
  path: z.string(),
  size: z.int().nonnegative(),
  encoding: z.literal("base64"),
  content: z.string(),
});
export type BrokerFile = z.infer<typeof BrokerFile>;

const answer = <Name extends BrokerCall["call"], Value extends z.ZodType>(name: Name, value: Value) =>
  z.object({ call: z.literal(name), value });

/** `value` of the calls that write: what becomes of it, in a sentence. It is done after the answer, exactly once. */
export const BrokerAnswer = z.discriminatedUnion("call", [
  answer("repository", BrokerRepository),
  answer("issue", BrokerIssue),
  answer("comments", z.array(BrokerComment)),
  answer("issues", z.array(BrokerIssue)),
  answer("pull", BrokerPull),
  answer("pulls", z.array(BrokerPull)),
  answer("pull_files", z.array(BrokerPullFile)),
  answer("checks", z.array(BrokerCheck)),
  answer("file", BrokerFile),
  answer("comment", z.string()),
  answer("edit_pull", z.string()),
]);
export type BrokerAnswer = z.infer<typeof BrokerAnswer>;

/** A question of the broker's to the forge, with the scope filled in; `branch`: whose checks are asked for. */
export type BrokerQuery =
  | { readonly call: "repository" }
  | { readonly call: "issue" | "comments" | "pull" | "pull_files"; readonly number: number }
  | { readonly call: "issues" | "pulls"; readonly state: "open" | "closed" | "all"; readonly limit: number }
  | { readonly call: "checks"; readonly branch: string }
  | { readonly call: "file"; readonly path: string; readonly ref: string | null };
