import { z } from "zod";
import { DeadLetter, Message, MessageCounters, MessagePayload, NewMessage, Recipient, Subscription, Topic } from "./message.ts";
import { after, limit, page, route, type Route } from "./route.ts";

/** How long a request for a message may wait for the answer of a query, milliseconds. */
const ANSWER_WAIT_MAX_MS = 60_000;

/** The routes of messages, for people; agents have tools instead (`useRunTool`). */
export const messageRoutes = {
  sendMessage: route({
    method: "POST",
    path: "/api/messages",
    status: 201,
    summary: "Send a message to a task, a topic, all of a project that runs, or a person",
    body: NewMessage,
    response: Message,
  }),
  listMessages: route({
    method: "GET",
    path: "/api/messages",
    summary: "Messages, the newest first",
    query: z.strictObject({
      project: z.string().optional(),
      task: z.string().optional(),
      kind: z.enum(MessagePayload.options.map((one) => one.shape.kind.value)).optional(),
      open: z.stringbool().optional().meta({ type: "boolean", description: "only queries that want an answer" }),
      limit,
      after,
    }),
    response: page(Message),
  }),
  getMessage: route({
    method: "GET",
    path: "/api/messages/{message}",
    summary: "One message; of an open query it may wait a while for the answer",
    query: z.strictObject({
      waitMs: z.coerce.number().int().min(0).max(ANSWER_WAIT_MAX_MS).default(0).meta({ type: "integer" }),
    }),
    response: Message,
  }),
  answerMessage: route({
    method: "POST",
    path: "/api/messages/{message}/answer",
    summary: "Answer a query",
    body: z.strictObject({ text: z.string().trim().min(1).max(20_000) }),
    response: Message,
  }),
  replayMessage: route({
    method: "POST",
    path: "/api/messages/{message}/replay",
    summary: "Send a dead letter once more, to somebody else of its project",
    body: z.strictObject({ recipient: Recipient }),
    response: Message,
  }),
  listDeadLetters: route({
    method: "GET",
    path: "/api/dead-letters",
    summary: "Messages that somebody was not to have after all, the newest first",
    query: z.strictObject({ project: z.string().optional(), limit, after }),
    response: page(DeadLetter),
  }),
  getMessageCounters: route({
    method: "GET",
    path: "/api/message-counters",
    summary: "How many messages were sent, delivered, answered and dead",
    response: MessageCounters,
  }),
  listSubscriptions: route({
    method: "GET",
    path: "/api/subscriptions",
    summary: "Which tasks are to have what is sent to which topic",
    query: z.strictObject({ project: z.string().optional() }),
    response: z.object({ items: z.array(Subscription) }),
  }),
  subscribe: route({
    method: "POST",
    path: "/api/subscriptions",
    summary: "Let a task have what is sent to a topic of its project",
    body: z.strictObject({ task: z.string().min(1), topic: Topic }),
    response: z.object({ items: z.array(Subscription) }),
  }),
  unsubscribe: route({
    method: "DELETE",
    path: "/api/subscriptions",
    summary: "Let a task no longer have what is sent to a topic",
    body: z.strictObject({ task: z.string().min(1), topic: Topic }),
    response: z.object({ items: z.array(Subscription) }),
  }),
} as const satisfies Record<string, Route>;
