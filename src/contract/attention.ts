import type { Branch } from "./branch.ts";
import type { Circuit } from "./circuit.ts";
import type { Alert } from "./event.ts";
import type { ProjectId, RunId, TaskId } from "./ids.ts";
import type { Question, Run } from "./run.ts";
import type { Task } from "./task.ts";

/**
 * Why something needs a person, the most urgent first: an agent waits with a question while its run goes on, an open circuit holds
 * everything up, a task is blocked until a person decides, something went wrong, a pull request is to be looked at.
 */
export const attentionKinds = [
  "permission",
  "question",
  "circuit",
  "approval",
  "conflict",
  "budget",
  "blocked",
  "failed",
  "alert",
  "review",
] as const;
export type AttentionKind = (typeof attentionKinds)[number];

/** One thing that needs a person. Which of the ids are there says what can be done about it. */
export interface AttentionItem {
  /** The same for the same thing, whenever it is asked. */
  readonly id: string;
  readonly kind: AttentionKind;
  /** What it is about: `api#42`, a circuit, a channel. */
  readonly subject: string;
  /** What is the matter, a line. Text from outside. */
  readonly text: string;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly projectId: ProjectId | null;
  readonly taskId: TaskId | null;
  readonly runId: RunId | null;
  /** To be answered. */
  readonly question: Question | null;
  /** To be dismissed once it has been seen to. */
  readonly alertId: string | null;
  /** To be reset. */
  readonly circuitId: string | null;
  readonly url: string | null;
}

/** What is looked through: blocked tasks, open runs, open alerts, circuits, finished branches. */
export interface AttentionFacts {
  readonly tasks: readonly Task[];
  readonly runs: readonly Run[];
  readonly alerts: readonly Alert[];
  readonly circuits: readonly Circuit[];
  readonly branches: readonly Branch[];
}

/** All that needs a person, over all projects: by kind, and what has waited longest first. An alert about what is there anyway adds nothing. */
export function rankAttention({ tasks, runs, alerts, circuits, branches }: AttentionFacts): AttentionItem[] {
  const blocked = tasks.filter(({ status }) => status === "blocked");
  const direct = [...runs.flatMap(ofRun), ...circuits.flatMap(ofCircuit), ...blocked.map(ofTask)];
  const known = new Set<string | null>(direct.flatMap(({ taskId, circuitId }) => [taskId, circuitId]));
  const others = alerts.filter((alert) => alert.resolvedAt === null && !known.has(alert.taskId ?? alert.subject));
  const items = [...direct, ...others.map(ofAlert), ...branches.flatMap(ofBranch)];
  return items.toSorted((one, other) => rankOf(one) - rankOf(other) || one.since - other.since || (one.id < other.id ? -1 : 1));
}

function rankOf({ kind }: AttentionItem): number {
  return attentionKinds.indexOf(kind);
}

const nothing = { projectId: null, taskId: null, runId: null, question: null, alertId: null, circuitId: null, url: null };

function ofRun({ id, taskId, taskKey, projectId, outcome, state, questions }: Run): AttentionItem[] {
  if (outcome !== null) return [];
  const kind = state?.state === "waiting_answer" ? "question" : "permission";
  return questions.map((question) => ({
    ...nothing,
    id: `question:${id}:${question.id}`,
    kind,
    subject: taskKey,
    text: `${question.tool} ${question.input}`,
    since: question.askedAt,
    projectId,
    taskId,
    runId: id,
    question,
  }));
}

function ofCircuit({ id, state, message }: Circuit): AttentionItem[] {
  if (state === "closed") return [];
  return [{ ...nothing, id: `circuit:${id}`, kind: "circuit", subject: id, text: message ?? `It is ${state}.`, since: 0, circuitId: id }];
}

const kindsByReason: Readonly<Record<string, AttentionKind>> = {
  approval: "approval",
  base_conflict: "conflict",
  siblings_conflict: "conflict",
  budget: "budget",
};

function ofTask({ id, key, projectId, reason, title, message, updatedAt, pullRequest }: Task): AttentionItem {
  const kind = kindsByReason[reason ?? ""] ?? "blocked";
  const text = kind === "approval" ? title : `${title}: ${message ?? reason ?? "it is blocked"}`;
  return { ...nothing, id: `task:${id}`, kind, subject: key, text, since: updatedAt, projectId, taskId: id, url: pullRequest?.url ?? null };
}

function ofAlert({ id, kind, subject, message, raisedAt, projectId, taskId }: Alert): AttentionItem {
  return {
    ...nothing,
    id: `alert:${id}`,
    kind: kind === "task_failed" ? "failed" : "alert",
    subject,
    text: message,
    since: raisedAt,
    projectId,
    taskId,
    alertId: id,
  };
}

/** A pull request that waits for a review; one in the merge queue goes on by itself. */
function ofBranch({ taskId, taskKey, projectId, state, place, pullRequest, title, updatedAt }: Branch): AttentionItem[] {
  if (state !== "open" || place !== null || pullRequest === null) return [];
  return [
    {
      ...nothing,
      id: `review:${taskId}`,
      kind: "review",
      subject: taskKey,
      text: title,
      since: updatedAt,
      projectId,
      taskId,
      url: pullRequest.url,
    },
  ];
}
