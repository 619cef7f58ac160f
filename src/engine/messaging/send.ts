import { AppError } from "../../base/errors.ts";
import { safeLine, safeText } from "../../base/text.ts";
import type { MessageId, ProjectId, TaskId } from "../../contract/ids.ts";
import type { Message, MessagePayload, Recipient, Sender } from "../../contract/message.ts";
import type { Task } from "../../contract/task.ts";
import { refusal, routesOf, type Reachable } from "../../domain/routing.ts";
import { tellEnded } from "../../publish/ended.ts";
import { raiseAlert, resolveAlerts } from "../../store/alerts.ts";
import { appendAudit } from "../../store/audit.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import { appendEvent } from "../../store/events.ts";
import { answerQuery, closeQuery, getMessage, insertMessage, nameOf, reopenQuery, waitingTasks } from "../../store/messages.ts";
import { addReceipt, deliver, markReplayed } from "../../store/receipts.ts";
import { getRun } from "../../store/runs.ts";
import { runningTasks, subscribers } from "../../store/subscriptions.ts";
import { findTask, getTask } from "../../store/tasks.ts";
import { requestCancel } from "../../store/transitions.ts";
import type { EngineParts } from "../parts.ts";

/** What alerts of a query to a person are about: they are resolved when it is closed. */
const QUERY_ALERT = "query";

export interface Outgoing {
  readonly sender: Sender;
  /** Of the message; null: that of the task that it is sent to. */
  readonly projectId: ProjectId | null;
  readonly recipient: Recipient;
  readonly payload: MessagePayload;
}

/**
 * Sends a message: says who is to have it, and carries out at once what needs no agent: a stop, an alert, a query to a person. What nobody can
 * have becomes a dead letter, which is no failure. Throws `not_found`, `invalid` for what the sender may not, and `conflict` where there
 * is too much already. All in the transaction of the caller.
 */
export function sendMessage({ redact }: Pick<EngineParts, "redact">, tx: Transaction, outgoing: Outgoing): Message {
  const { sender, recipient } = outgoing;
  const task = recipient.to === "task" ? requireRecipient(tx, recipient.task) : undefined;
  const projectId = task?.projectId ?? outgoing.projectId;
  if (projectId === null) throw new AppError("invalid", "Name the project of the message.");
  const senderTask = sender.by === "person" ? undefined : getTask(tx, getRun(tx, sender.runId).taskId);
  const why = refusal(sender, outgoing.payload.kind, senderTask?.projectId === projectId);
  if (why !== undefined) throw new AppError("invalid", why);
  const id = insertMessage(tx, {
    projectId,
    sender,
    senderTaskId: senderTask?.id ?? null,
    recipient: task ? { to: "task", task: task.key } : recipient,
    payload: { ...outgoing.payload, text: redact(safeText(outgoing.payload.text)) },
  });
  const message = getMessage(tx, id);
  if (sender.by !== "run") {
    const detail = { id, kind: message.payload.kind, recipient: message.recipient };
    appendAudit(tx, { actor: nameOf(sender), action: "message.send", subject: message.project, detail });
  }
  return route(tx, message, message.recipient, senderTask?.id ?? null);
}

/** Sends a dead letter once more, to somebody of the same project. Throws `conflict` for what is none, or what that one has had. */
export function replayMessage(tx: Transaction, id: MessageId, recipient: Recipient, actor: string): Message {
  markReplayed(tx, id);
  reopenQuery(tx, id);
  const message = getMessage(tx, id);
  const task = recipient.to === "task" ? requireRecipient(tx, recipient.task) : undefined;
  if (task && task.projectId !== message.projectId)
    throw new AppError("invalid", `${id} is of ${message.project}: it goes to no other project.`);
  const to: Recipient = task ? { to: "task", task: task.key } : recipient;
  appendAudit(tx, { actor, action: "message.replay", subject: message.project, detail: { id, recipient: to } });
  appendEvent(tx, { type: "message.replayed", projectId: message.projectId, data: { id, to, by: actor } });
  return route(tx, message, to, null);
}

/** Answers a query for good. Throws as `answerQuery` does. */
export function answerMessage(
  { redact }: Pick<EngineParts, "redact">,
  tx: Transaction,
  id: MessageId,
  { text, by }: { text: string; by: string },
): Message {
  answerQuery(tx, id, { text: redact(safeText(text)), by });
  resolveAlerts(tx, QUERY_ALERT, id);
  return getMessage(tx, id);
}

/** Nobody waits for an answer of a query any more, nor will it get one. */
export function giveUpQuery(tx: Transaction, id: MessageId): void {
  closeQuery(tx, id);
  resolveAlerts(tx, QUERY_ALERT, id);
}

function route(tx: Transaction, message: Message, recipient: Recipient, senderTaskId: TaskId | null): Message {
  const { id, payload } = message;
  const routes = routesOf(payload.kind, recipient, {
    tasks: reachable(tx, message.projectId, recipient),
    senderTaskId,
    waiting: payload.kind === "query" && senderTaskId !== null ? waitingTasks(tx) : [],
  });
  for (const one of routes) addReceipt(tx, id, one);
  for (const { to, dead } of routes) if (dead === null && to !== "") carryOut(tx, message, to);
  if (routes.every(({ dead }) => dead !== null)) giveUpQuery(tx, id);
  return getMessage(tx, id);
}

function reachable(reader: Reader, projectId: ProjectId, recipient: Recipient): Reachable[] {
  switch (recipient.to) {
    case "task":
      return [requireRecipient(reader, recipient.task)];
    case "topic":
      return subscribers(reader, projectId, recipient.topic);
    case "project":
      return runningTasks(reader, projectId);
    case "person":
      return [];
  }
}

/** What is done in the transaction that sends it. The rest is the courier's, or the next prompt's. */
function carryOut(tx: Transaction, message: Message, to: TaskId | "person"): void {
  const { id, payload, sender } = message;
  if (to === "person") {
    alertPeople(tx, message);
    deliver(tx, id, to, null);
  } else if (payload.kind === "stop") {
    const actor = nameOf(sender);
    requestCancel(tx, to, { by: "user", actor, message: `Stopped by ${actor}: ${payload.text}` });
    tellEnded(tx, [to]);
    deliver(tx, id, to, null);
  }
}

/** The same alert of the same sender counts up while it is open. */
function alertPeople(tx: Transaction, { id, payload, sender, projectId }: Message): void {
  const from = nameOf(sender);
  const about = { projectId, ...(sender.by !== "person" && { taskId: getRun(tx, sender.runId).taskId }) };
  if (payload.kind === "query") {
    const message = `${from} asks: ${safeLine(payload.text, 500)} Answer with: drover message answer ${id}`;
    raiseAlert(tx, { kind: QUERY_ALERT, subject: id, message, ...about });
  } else {
    const message = `${from}: ${safeLine(payload.text, 1000)}`;
    raiseAlert(tx, { kind: "message", subject: safeLine(message, 100), message, ...about });
  }
}

function requireRecipient(reader: Reader, keyOrId: string): Task {
  const task = findTask(reader, keyOrId);
  if (!task) throw new AppError("not_found", `There is no task ${JSON.stringify(keyOrId)} to send a message to.`);
  return task;
}
