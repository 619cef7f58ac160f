import type { TaskId } from "../contract/ids.ts";
import type { DeadReason, MessageKind, Recipient, Sender } from "../contract/message.ts";
import { endedStatuses, type TaskStatus } from "../contract/task.ts";

/** A task as the routing of a message sees it. */
export interface Reachable {
  readonly id: TaskId;
  readonly status: TaskStatus;
}

/** Who could have a message, by what it is sent to. */
export interface Surroundings {
  /** The task that it is sent to; its subscribers; the tasks of the project that run. */
  readonly tasks: readonly Reachable[];
  /** Who sends it; null: no task does. */
  readonly senderTaskId: TaskId | null;
  /** Which task waits for the answer of which. */
  readonly waiting: readonly Waiting[];
}

/** A task whose agent waits for the answer of another. */
export interface Waiting {
  readonly from: TaskId;
  readonly to: TaskId;
}

/** For whom a receipt is made: a task, a person, or nobody, which makes the message a dead letter. */
export interface Route {
  readonly to: TaskId | "person" | "";
  readonly dead: DeadReason | null;
}

/** Why a sender may not send this; undefined: it may. */
export function refusal(sender: Sender, kind: MessageKind, isOwnProject: boolean): string | undefined {
  if (sender.by === "person" || sender.by === "supervisor") return undefined;
  if (kind === "stop") return "Only people and supervisory runs may stop a task.";
  return isOwnProject ? undefined : "The agent of a run reaches only tasks of its own project.";
}

/** Who is to have a message: at least one, and nobody who sent it. */
export function routesOf(kind: MessageKind, { to }: Recipient, { tasks, senderTaskId, waiting }: Surroundings): Route[] {
  if (to === "person") return [{ to: "person", dead: null }];
  const open = tasks.filter(({ id, status }) => id !== senderTaskId && !isEnded(status));
  if (open.length === 0) {
    const [named] = to === "task" ? tasks : [];
    return [{ to: named?.id ?? "", dead: to === "topic" ? "no_subscriber" : to === "project" ? "nobody_running" : "ended" }];
  }
  const waitsForSender = (id: TaskId) => kind === "query" && senderTaskId !== null && waitsFor(waiting, id, senderTaskId);
  return open.map(({ id }) => ({ to: id, dead: waitsForSender(id) ? "deadlock" : null }));
}

/** Whether a task waits for another, by way of others too. */
function waitsFor(waiting: readonly Waiting[], from: TaskId, to: TaskId): boolean {
  const reached = new Set<TaskId>([from]);
  for (const id of reached) for (const one of waiting) if (one.from === id) reached.add(one.to);
  return reached.has(to);
}

function isEnded(status: TaskStatus): boolean {
  return (endedStatuses as readonly TaskStatus[]).includes(status);
}
