import { z } from "zod";
import { Duration, MessageId, ProjectId, RunId, TaskId, Timestamp } from "./ids.ts";
import { ProjectName } from "./project.ts";

const TEXT_MAX = 20_000;
const text = z.string().trim().min(1).max(TEXT_MAX);

/** How long a query may wait for its answer, milliseconds. */
const QUERY_TIMEOUT_MS = { least: 1000, most: 24 * 3_600_000, usual: 10 * 60_000 };

/** A name of a subject within a project, to which its tasks subscribe. */
export const Topic = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/u, "a topic is 1 to 63 of a-z, 0-9, `.`, `_` and `-`");

/**
 * What a message says, by its kind. alert: a person must see it. query: wants an answer in time. share: something to know. stop: end, with
 * the work kept.
 */
export const MessagePayload = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("alert"), text: text.max(2000) }),
  z.strictObject({
    kind: z.literal("query"),
    text,
    timeoutMs: Duration.min(QUERY_TIMEOUT_MS.least).max(QUERY_TIMEOUT_MS.most).default(QUERY_TIMEOUT_MS.usual),
  }),
  z.strictObject({ kind: z.literal("share"), text }),
  z.strictObject({ kind: z.literal("stop"), text: text.max(2000) }),
]);
export type MessagePayload = z.infer<typeof MessagePayload>;
export type MessageKind = MessagePayload["kind"];

/** Who is to have a message. `task` is named by its key or id; `project`: every other task of the project that runs now. */
export const Recipient = z.discriminatedUnion("to", [
  z.strictObject({ to: z.literal("task"), task: z.string().min(1).max(200) }),
  z.strictObject({ to: z.literal("topic"), topic: Topic }),
  z.strictObject({ to: z.literal("project") }),
  z.strictObject({ to: z.literal("person") }),
]);
export type Recipient = z.infer<typeof Recipient>;

/** Which kinds go to whom. */
const FITTING: Readonly<Record<MessageKind, readonly Recipient["to"][]>> = {
  alert: ["person"],
  query: ["task", "topic", "project", "person"],
  share: ["task", "topic", "project"],
  stop: ["task"],
};

/** A message as somebody sends it. `project` is needed but for one to a task, which has its own. */
export const NewMessage = z
  .strictObject({ project: ProjectName.optional(), recipient: Recipient, payload: MessagePayload })
  .superRefine(({ project, recipient, payload }, context) => {
    const fitting = FITTING[payload.kind];
    if (!fitting.includes(recipient.to))
      context.addIssue({ code: "custom", path: ["recipient", "to"], message: `${payload.kind} goes to: ${fitting.join(", ")}` });
    if (recipient.to !== "task" && project === undefined)
      context.addIssue({ code: "custom", path: ["project"], message: "name the project" });
  });
export type NewMessage = z.infer<typeof NewMessage>;

const ofRun = { runId: RunId, task: z.string() };
/** Who sent it: a person, the agent of a run, or a run that watches over others. What each may: domain/routing.ts. */
export const Sender = z.discriminatedUnion("by", [
  z.object({ by: z.literal("person"), name: z.string() }),
  z.object({ by: z.literal("run"), ...ofRun }),
  z.object({ by: z.literal("supervisor"), ...ofRun }),
]);
export type Sender = z.infer<typeof Sender>;

/**
 * Why nobody has it. ended: its task has, or had. no_subscriber: nobody wants the topic. nobody_running: no other task of the project
 * runs. expired: a query not delivered in time. unanswered: a query delivered and not answered in time. deadlock: who is asked waits
 * for an answer of who asks.
 */
export const DeadReason = z.enum(["ended", "no_subscriber", "nobody_running", "expired", "unanswered", "deadlock"]);
export type DeadReason = z.infer<typeof DeadReason>;

/** What became of a message for one who is to have it: `pending` until it is `delivered`, or for good not: `dead`. */
export const Receipt = z.object({
  /** Null: a person, or (dead) nobody. */
  taskId: TaskId.nullable(),
  /** `api#3`, `person`, or `` where there was nobody. */
  recipient: z.string(),
  state: z.enum(["pending", "delivered", "dead"]),
  reason: DeadReason.nullable(),
  /** The run whose agent has it. */
  runId: RunId.nullable(),
  deliveredAt: Timestamp.nullable(),
  /** When it was sent once more, to somebody else. */
  replayedAt: Timestamp.nullable(),
});
export type Receipt = z.infer<typeof Receipt>;

/** Something that an agent, a person or the daemon tells or asks another within a project. */
export const Message = z.object({
  id: MessageId,
  projectId: ProjectId,
  project: ProjectName,
  sender: Sender,
  recipient: Recipient,
  payload: MessagePayload,
  receipts: z.array(Receipt),
  /** Of a query: when it must be answered. */
  expiresAt: Timestamp.nullable(),
  answer: z.object({ text: z.string(), by: z.string(), at: Timestamp }).nullable(),
  /** Of a query: since when it is answered, or nobody will answer it any more. */
  closedAt: Timestamp.nullable(),
  createdAt: Timestamp,
});
export type Message = z.infer<typeof Message>;

/** A message that somebody was not to have after all. */
export const DeadLetter = z.object({ message: Message, recipient: z.string(), reason: DeadReason, at: Timestamp });
export type DeadLetter = z.infer<typeof DeadLetter>;

/** A line of the routing table: a task that is to have what is sent to a topic. */
export const Subscription = z.object({ project: ProjectName, topic: Topic, task: z.string(), taskId: TaskId, since: Timestamp });
export type Subscription = z.infer<typeof Subscription>;

/** Since the database was made: messages that were sent; what was delivered, was answered, and never came to be. */
export const MessageCounters = z.object({
  sent: z.int().nonnegative(),
  delivered: z.int().nonnegative(),
  answered: z.int().nonnegative(),
  dead: z.int().nonnegative(),
});
export type MessageCounters = z.infer<typeof MessageCounters>;
