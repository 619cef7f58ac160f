import { describe, expect, test } from "vitest";
import { Config } from "../contract/config.ts";
import type { Issue, Permission } from "../forge/forge.ts";
import type { IssueState } from "../store/intake.ts";
import { decideIntake, type KnownIssue } from "./decide.ts";
import type { IssueRequest } from "./request.ts";

const { intake } = Config.parse({});
const open: Issue = {
  number: 7,
  title: "One",
  body: "",
  url: "",
  open: true,
  labels: ["Claude"],
  author: "octocat",
  association: "OWNER",
  updatedAt: 0,
  contentHash: "",
  comments: [],
};
const closed: Issue = { ...open, open: false };
const unlabelled: Issue = { ...open, labels: ["bug"] };

const asks = (contentHash: string, workflow = "issue") => ({ contentHash, workflow }) as IssueRequest;
const allowed: Permission = { allowed: true, actor: "octocat", reason: "the owner" };
const refused: Permission = { allowed: false, actor: "stranger", reason: "a stranger" };

const known = (
  state: Partial<IssueState>,
  status?: "queued" | "running" | "waiting" | "blocked" | "succeeded" | "failed" | "cancelled",
): KnownIssue => ({
  state: {
    projectId: "project_018f0000-0000-7000-8000-000000000001",
    issue: 7,
    contentHash: "a",
    taskId: status === undefined ? null : "task_018f0000-0000-7000-8000-000000000001",
    followUps: 0,
    open: true,
    updatedAt: 0,
    ...state,
  },
  task: status && { status, contentHash: "a", workflow: "issue" },
});
const unknown: KnownIssue = { state: undefined, task: undefined };

const decide = (issue: Issue | undefined, request: IssueRequest | undefined, permission: Permission | null, about: KnownIssue) =>
  decideIntake(issue, request, permission, about, { intake });

describe("an issue that is new", () => {
  test.each([
    ["open and labelled: asks first", open, null, { kind: "ask" }],
    ["and allowed: makes a task", open, allowed, { kind: "create" }],
    ["and refused: is ignored, and that is news", open, refused, { kind: "ignore", reason: "a stranger", isNew: true }],
    ["with the label in another case", { ...open, labels: ["claude"] }, allowed, { kind: "create" }],
    ["but closed", closed, null, { kind: "nothing" }],
    ["but not labelled", unlabelled, null, { kind: "nothing" }],
    ["and gone", undefined, null, { kind: "nothing" }],
  ])("%s", (_, issue, permission, decision) => {
    expect(decide(issue, issue && asks("a"), permission, unknown)).toEqual(decision);
  });
});

describe("an issue that was ignored", () => {
  const ignored = known({ taskId: null });
  test.each([
    ["is asked about again", asks("a"), null, { kind: "ask" }],
    ["makes a task once it is allowed", asks("a"), allowed, { kind: "create" }],
    ["is ignored without news while its text is the same", asks("a"), refused, { kind: "ignore", reason: "a stranger", isNew: false }],
    ["is news again with another text", asks("b"), refused, { kind: "ignore", reason: "a stranger", isNew: true }],
  ])("%s", (_, request, permission, decision) => {
    expect(decide(open, request, permission, ignored)).toEqual(decision);
  });
});

describe("an issue whose task is under way", () => {
  test.each(["queued", "running", "waiting", "blocked"] as const)("and %s", (status) => {
    const under = (state: Partial<IssueState> = {}) => known(state, status);
    expect({
      same: decide(open, asks("a"), null, under()),
      edited: decide(open, asks("b"), null, under()),
      "edited and known": decide(open, asks("b"), null, under({ contentHash: "b" })),
      "edited back": decide(open, asks("a"), null, under({ contentHash: "b" })),
      "to be a plan now": decide(open, asks("a", "issue-plan"), null, under()),
      closed: decide(closed, asks("a"), null, under()),
      unlabelled: decide(unlabelled, asks("a"), null, under()),
      gone: decide(undefined, undefined, null, under()),
      "closed and known": decide(closed, asks("a"), null, under({ open: false })),
      reopened: decide(open, asks("a"), null, under({ open: false })),
      "reopened and known": decide(open, asks("a"), null, under({ contentHash: "again" })),
    }).toEqual({
      same: { kind: "nothing" },
      edited: { kind: "remember", contentHash: "b", open: true },
      "edited and known": { kind: "nothing" },
      "edited back": { kind: "remember", contentHash: "a", open: true },
      "to be a plan now": { kind: "remember", contentHash: "issue-plan:a", open: true },
      closed: { kind: "cancel", message: "The issue was closed." },
      unlabelled: { kind: "cancel", message: "The label was taken off the issue." },
      gone: { kind: "cancel", message: "The issue was removed." },
      "closed and known": { kind: "nothing" },
      reopened: { kind: "remember", contentHash: "again", open: true },
      "reopened and known": { kind: "nothing" },
    });
  });
});

describe("an issue whose task has ended", () => {
  test.each(["succeeded", "failed", "cancelled"] as const)("and %s", (status) => {
    const after = (state: Partial<IssueState> = {}) => known(state, status);
    expect({
      same: decide(open, asks("a"), null, after()),
      edited: decide(open, asks("b"), null, after()),
      "edited and allowed": decide(open, asks("b"), allowed, after()),
      "edited and refused": decide(open, asks("b"), refused, after()),
      "edited while it ran": decide(open, asks("b"), allowed, after({ contentHash: "b" })),
      "edited while it ran, then back": decide(open, asks("a"), allowed, after({ contentHash: "b" })),
      "to be done after the plan": decide(open, asks("a", "issue-plan"), allowed, after()),
      closed: decide(closed, asks("a"), null, after()),
      "closed and known": decide(closed, asks("a"), null, after({ open: false })),
      reopened: decide(open, asks("a"), allowed, after({ open: false })),
      "reopened while it ran": decide(open, asks("a"), allowed, after({ contentHash: "again" })),
    }).toEqual({
      same: { kind: "nothing" },
      edited: { kind: "ask" },
      "edited and allowed": { kind: "follow_up" },
      "edited and refused": { kind: "ignore", reason: "a stranger", isNew: true },
      "edited while it ran": { kind: "follow_up" },
      "edited while it ran, then back": { kind: "remember", contentHash: "a", open: true },
      "to be done after the plan": { kind: "follow_up" },
      closed: { kind: "remember", contentHash: "a", open: false },
      "closed and known": { kind: "nothing" },
      reopened: { kind: "follow_up" },
      "reopened while it ran": { kind: "follow_up" },
    });
  });
});
