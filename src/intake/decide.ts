import { endedStatuses, type Task, type TaskStatus } from "../contract/task.ts";
import type { ProjectConfig } from "../contract/config.ts";
import type { Issue, Permission } from "../forge/forge.ts";
import { hasLabel } from "../forge/labels.ts";
import type { IssueState } from "../store/intake.ts";
import type { IssueRequest } from "./request.ts";

/** What we know of an issue, and the newest task that was made from it. */
export interface KnownIssue {
  readonly state: IssueState | undefined;
  readonly task: Pick<Task, "status" | "contentHash" | "workflow"> | undefined;
}

/**
 * nothing: all is as we know it. ask: whether the issue may start work has to be asked first. ignore: it may not; `isNew`
 * when nobody was told of this text yet. create, follow_up: make its first task, or a further one. cancel: end its task.
 * remember: note what is asked for now; a follow-up comes when the task under way has ended.
 */
export type IntakeDecision =
  | { readonly kind: "ask" }
  | { readonly kind: "nothing" | "create" | "follow_up" }
  | { readonly kind: "remember"; readonly contentHash: string; readonly open: boolean }
  | { readonly kind: "ignore"; readonly reason: string; readonly isNew: boolean }
  | { readonly kind: "cancel"; readonly message: string };

/** In place of a content hash: the same text was asked for once more (reopened, labelled again). */
const ASKED_AGAIN = "again";

/**
 * What an issue as it is now calls for. Undefined: it is gone. It knows edges, not levels: closing cancels once, so that
 * a person who wants the task of a closed issue after all (`retry`) gets it.
 */
export function decideIntake(
  issue: Issue | undefined,
  request: IssueRequest | undefined,
  permission: Permission | null,
  known: KnownIssue,
  config: Pick<ProjectConfig, "intake">,
): IntakeDecision {
  if (issue === undefined || request === undefined) return withdraw(known, "The issue was removed.");
  if (!issue.open) return withdraw(known, "The issue was closed.");
  if (!hasLabel(issue.labels, config.intake.labels)) return withdraw(known, "The label was taken off the issue.");
  const { state, task } = known;
  if (state === undefined || task === undefined) return permitted("create", permission, state, request);

  const asked = askedFor(state, task, request);
  if (asked === task.contentHash)
    return state.contentHash === asked ? { kind: "nothing" } : { kind: "remember", contentHash: asked, open: true };
  if (hasEnded(task)) return permitted("follow_up", permission, state, request);
  return state.open && state.contentHash === asked ? { kind: "nothing" } : { kind: "remember", contentHash: asked, open: true };
}

export function hasEnded({ status }: Pick<Task, "status">): boolean {
  return (endedStatuses as readonly TaskStatus[]).includes(status);
}

/** The task's own hash when the issue asks for nothing but that task; otherwise something else. */
function askedFor(state: IssueState, task: NonNullable<KnownIssue["task"]>, request: IssueRequest): string {
  if (request.workflow !== task.workflow) return `${request.workflow}:${request.contentHash}`;
  if (request.contentHash !== task.contentHash) return request.contentHash;
  return !state.open || state.contentHash === ASKED_AGAIN ? ASKED_AGAIN : request.contentHash;
}

function withdraw({ state, task }: KnownIssue, message: string): IntakeDecision {
  if (!state?.open) return { kind: "nothing" };
  if (task === undefined || hasEnded(task)) return { kind: "remember", contentHash: state.contentHash, open: false };
  return { kind: "cancel", message };
}

function permitted(
  kind: "create" | "follow_up",
  permission: Permission | null,
  state: IssueState | undefined,
  request: IssueRequest,
): IntakeDecision {
  if (permission === null) return { kind: "ask" };
  if (permission.allowed) return { kind };
  const isNew = state === undefined || state.taskId !== null || state.contentHash !== request.contentHash;
  return { kind: "ignore", reason: permission.reason, isNew };
}
