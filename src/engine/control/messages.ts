import { AppError } from "../../base/errors.ts";
import type { RequestOf } from "../../contract/control.ts";
import { getMessage, listMessages, messageCounters } from "../../store/messages.ts";
import { listDead } from "../../store/receipts.ts";
import { listSubscriptions, subscribe, unsubscribe } from "../../store/subscriptions.ts";
import { untilAnswered } from "../messaging/answers.ts";
import { answerMessage, replayMessage, sendMessage } from "../messaging/send.ts";
import { audited, requireProject, requireTask, type ControlParts, type Verbs } from "./scope.ts";

type Names =
  | "sendMessage"
  | "listMessages"
  | "getMessage"
  | "answerMessage"
  | "replayMessage"
  | "listDeadLetters"
  | "listSubscriptions"
  | "subscribe"
  | "unsubscribe"
  | "getMessageCounters";

/** All lines of the routing table that are shown. */
const SUBSCRIPTIONS_MAX = 1000;

/** Messages: sending, answering and looking at them, and the routing table. */
export function messageVerbs(parts: ControlParts): Verbs<Names> {
  const { reader } = parts.database;

  /** A line of the routing table, with its line in the audit log. */
  function changeTable({ body, actor }: RequestOf<"subscribe">, action: string, change: typeof subscribe) {
    const { id: taskId, projectId, key } = requireTask(reader, body.task);
    return audited(parts, { actor, action, subject: key, detail: { topic: body.topic } }, (tx) => {
      change(tx, { projectId, topic: body.topic, taskId });
      return { items: listSubscriptions(tx, projectId, SUBSCRIPTIONS_MAX) };
    });
  }

  return {
    sendMessage: ({ body, actor }) =>
      parts.database.write((tx) => {
        const projectId = body.project === undefined ? null : requireProject(tx, body.project).id;
        return sendMessage(parts, tx, { ...body, sender: { by: "person", name: actor }, projectId });
      }),

    listMessages({ query }) {
      const { project, task, ...filter } = query;
      const items = listMessages(reader, {
        ...filter,
        ...(project !== undefined && { projectId: requireProject(reader, project).id }),
        ...(task !== undefined && { taskId: requireTask(reader, task).id }),
      });
      return { items, next: items.length === query.limit ? (items.at(-1)?.id ?? null) : null };
    },

    getMessage: ({ params, query, signal }) => untilAnswered(parts, getMessage(reader, params.message).id, query.waitMs, signal),

    answerMessage: ({ params, body, actor }) => {
      const { id, project } = getMessage(reader, params.message);
      return audited(parts, { actor, action: "message.answer", subject: project, detail: { id } }, (tx) =>
        answerMessage(parts, tx, id, { text: body.text, by: actor }),
      );
    },

    replayMessage: ({ params, body, actor }) =>
      parts.database.write((tx) => replayMessage(tx, getMessage(tx, params.message).id, body.recipient, actor)),

    listDeadLetters({ query }) {
      const after = query.after === undefined ? undefined : Number(query.after);
      if (Number.isNaN(after)) throw new AppError("invalid", "`after` is the `next` of the page before.");
      const projectId = query.project === undefined ? undefined : requireProject(reader, query.project).id;
      const dead = listDead(reader, { projectId, after, limit: query.limit });
      const items = dead.map(({ messageId, recipient, reason, at }) => ({ message: getMessage(reader, messageId), recipient, reason, at }));
      return { items, next: dead.length === query.limit ? String(dead.at(-1)?.sequence) : null };
    },

    listSubscriptions({ query }) {
      const projectId = query.project === undefined ? undefined : requireProject(reader, query.project).id;
      return { items: listSubscriptions(reader, projectId, SUBSCRIPTIONS_MAX) };
    },

    subscribe: (request) => changeTable(request, "message.subscribe", subscribe),
    unsubscribe: (request) => changeTable(request, "message.unsubscribe", unsubscribe),
    getMessageCounters: () => messageCounters(reader),
  };
}
