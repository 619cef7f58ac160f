import type { ProjectId } from "../contract/ids.ts";
import type { NewTask } from "../contract/task.ts";
import type { Forge, ForgeProject, Issue, Permission } from "../forge/forge.ts";
import { tellEnded } from "../publish/ended.ts";
import type { Database, Reader, Transaction } from "../store/database.ts";
import { appendEvent } from "../store/events.ts";
import { findIssueState, saveIssueState, type IssueState } from "../store/intake.ts";
import { getTask, insertTask } from "../store/tasks.ts";
import { requestCancel } from "../store/transitions.ts";
import { decideIntake, hasEnded, type IntakeDecision, type KnownIssue } from "./decide.ts";
import { requestOf, type IssueRequest } from "./request.ts";

export interface IssueIntakeParts {
  readonly database: Database;
  readonly forge: Forge;
  readonly target: ForgeProject;
  /** Tasks that may be queued. */
  readonly queueMax: number;
  readonly workflows: Workflows;
}

/** What intake needs to know of the workflows. */
export interface Workflows {
  /** The first stage of a workflow that is in force for a project. Throws `invalid` when there is none. */
  firstStage(projectId: ProjectId, workflow: string): string;
}

/** What came of an issue: a decision that needs no more asking. */
export type IntakeOutcome = Exclude<IntakeDecision["kind"], "ask">;

/**
 * Brings one issue, as its forge has it now, into our tables; undefined: the forge has no such issue any more. What it
 * calls for is decided and stored in one transaction, so that it fits the task as it is at that moment.
 */
export async function takeIn(
  parts: IssueIntakeParts,
  number: number,
  issue: Issue | undefined,
  signal: AbortSignal,
): Promise<IntakeOutcome> {
  const { database, forge, target } = parts;
  const request = issue && requestOf(issue, target.config);
  const decide = (reader: Reader, permission: Permission | null) =>
    decideIntake(issue, request, permission, readKnown(reader, target, number), target.config);

  let permission: Permission | null = null;
  for (;;) {
    const { kind } = decide(database.reader, permission);
    if (kind === "nothing") return kind;
    if (kind === "ask" && issue) permission = await forge.mayStart(target, issue, signal);
    const outcome = await database.write((tx) => {
      const decision = decide(tx, permission);
      return decision.kind === "ask" ? undefined : carryOut(tx, parts, decision, { number, issue, request, permission });
    });
    // Undefined: its task ended in between, so that now the permission has to be asked for.
    if (outcome !== undefined) return outcome;
  }
}

/** Notes an issue that is there but can't be read, once for each thing that is wrong with it. Returns whether it was news. */
export function noteUnreadable(
  tx: Transaction,
  { project }: ForgeProject,
  { issue, message }: { issue: number; message: string },
): boolean {
  const state = findIssueState(tx, project.id, issue);
  // The state of an issue that has a task is needed as it is.
  if (state !== undefined && (state.taskId !== null || state.contentHash === message)) return false;
  saveIssueState(tx, { projectId: project.id, issue, contentHash: message, taskId: null, followUps: 0, open: true, updatedAt: tx.now });
  appendEvent(tx, { type: "issue.ignored", projectId: project.id, data: { issue, reason: message } });
  return true;
}

interface Subject {
  readonly number: number;
  readonly issue: Issue | undefined;
  readonly request: IssueRequest | undefined;
  readonly permission: Permission | null;
}

function readKnown(reader: Reader, { project }: ForgeProject, number: number): KnownIssue {
  const state = findIssueState(reader, project.id, number);
  return { state, task: state?.taskId ? getTask(reader, state.taskId) : undefined };
}

function carryOut(
  tx: Transaction,
  parts: IssueIntakeParts,
  decision: Exclude<IntakeDecision, { kind: "ask" }>,
  subject: Subject,
): IntakeOutcome {
  const { project } = parts.target;
  const { number, issue, request } = subject;
  const before = findIssueState(tx, project.id, number) ?? newState(parts, number);
  const state: IssueState = { ...before, updatedAt: issue?.updatedAt ?? before.updatedAt };
  switch (decision.kind) {
    case "nothing":
      break;
    case "remember":
      saveIssueState(tx, { ...state, contentHash: decision.contentHash, open: decision.open });
      break;
    case "ignore":
      saveIssueState(tx, { ...state, contentHash: request?.contentHash ?? "", taskId: null, open: true });
      if (decision.isNew)
        appendEvent(tx, { type: "issue.ignored", projectId: project.id, data: { issue: number, reason: decision.reason } });
      break;
    case "cancel":
      if (state.taskId) {
        requestCancel(tx, state.taskId, { by: "source", actor: project.forge, message: decision.message });
        // One that was removed takes no comment.
        if (issue) tellEnded(tx, [state.taskId]);
      }
      saveIssueState(tx, { ...state, open: false });
      break;
    case "create":
    case "follow_up":
      saveIssueState(tx, { ...state, ...makeTask(tx, parts, subject, state.followUps), open: true });
      break;
  }
  return decision.kind;
}

function newState({ target }: IssueIntakeParts, issue: number): IssueState {
  return { projectId: target.project.id, issue, contentHash: "", taskId: null, followUps: 0, open: true, updatedAt: 0 };
}

/** The next task of the issue: the first of its keys whose task is not over and done with. */
function makeTask(
  tx: Transaction,
  { target, queueMax, workflows }: IssueIntakeParts,
  { number, issue, request, permission }: Subject,
  from: number,
): Pick<IssueState, "taskId" | "followUps" | "contentHash"> {
  if (!issue || !request || !permission) throw new TypeError("A task is made only from an issue that was read and may start.");
  const stage = workflows.firstStage(target.project.id, request.workflow);
  for (let followUps = from; ; followUps++) {
    const key = followUps === 0 ? `issue:${number}` : `issue:${number}#${followUps}`;
    const { task, created } = insertTask(tx, newTask(target, { key, number, issue, request, permission, stage }), { queued: queueMax });
    if (created || !hasEnded(task)) return { taskId: task.id, followUps, contentHash: request.contentHash };
  }
}

function newTask(
  { project, config: { defaults } }: ForgeProject,
  {
    key,
    number,
    issue,
    request,
    permission,
    stage,
  }: { key: string; number: number; issue: Issue; request: IssueRequest; permission: Permission; stage: string },
): NewTask {
  return {
    projectId: project.id,
    title: request.title,
    body: request.body,
    source: { kind: project.forge, key, issue: number, url: issue.url, actor: permission.actor },
    workflow: request.workflow,
    stage,
    parameters: {},
    delivery: request.mode === "plan" ? "comment" : defaults.delivery,
    priority: defaults.priority,
    deadlineAt: null,
    dependsOn: [],
    parentId: null,
    attemptMax: defaults.retryAttempts,
    draft: false,
  };
}
