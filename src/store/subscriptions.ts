import { AppError } from "../base/errors.ts";
import type { ProjectId, TaskId } from "../contract/ids.ts";
import type { Subscription } from "../contract/message.ts";
import type { Reachable } from "../domain/routing.ts";
import type { Reader, Transaction } from "./database.ts";

/** So many topics a task may subscribe to, and so many tasks to a topic. */
const TOPICS_MAX = 20;
const SUBSCRIBERS_MAX = 100;

interface Line {
  readonly projectId: ProjectId;
  readonly topic: string;
  readonly taskId: TaskId;
}

/** From now on the task is to have what is sent to the topic. Doing it again changes nothing. Throws `conflict` where there are too many. */
export function subscribe(tx: Transaction, { projectId, topic, taskId }: Line): void {
  forgetEnded(tx, projectId);
  const known = tx.get<{ topics: number; subscribers: number }>(
    `SELECT count(*) FILTER (WHERE task_id = :taskId) AS topics, count(*) FILTER (WHERE topic = :topic) AS subscribers
     FROM subscriptions WHERE project_id = :projectId AND NOT (task_id = :taskId AND topic = :topic)`,
    { projectId, topic, taskId },
  );
  if ((known?.topics ?? 0) >= TOPICS_MAX)
    throw new AppError("conflict", `This task has subscribed to ${TOPICS_MAX} topics, which is all it may.`);
  if ((known?.subscribers ?? 0) >= SUBSCRIBERS_MAX)
    throw new AppError("conflict", `${topic} has ${SUBSCRIBERS_MAX} subscribers, which is all it may.`);
  tx.run(
    `INSERT INTO subscriptions (project_id, topic, task_id, since) VALUES (:projectId, :topic, :taskId, :now)
     ON CONFLICT (project_id, topic, task_id) DO NOTHING`,
    { projectId, topic, taskId, now: tx.now },
  );
}

/** Throws `not_found` when it did not subscribe. */
export function unsubscribe(tx: Transaction, { projectId, topic, taskId }: Line): void {
  const { changes } = tx.run("DELETE FROM subscriptions WHERE project_id = :projectId AND topic = :topic AND task_id = :taskId", {
    projectId,
    topic,
    taskId,
  });
  if (changes === 0) throw new AppError("not_found", `The task does not subscribe to ${topic}.`);
}

/** Who is to have what is sent to a topic. */
export function subscribers(reader: Reader, projectId: ProjectId, topic: string): Reachable[] {
  return reader.all<Reachable>(
    `SELECT tasks.id, tasks.status FROM subscriptions JOIN tasks ON tasks.id = task_id
     WHERE subscriptions.project_id = :projectId AND topic = :topic ORDER BY tasks.sequence`,
    { projectId, topic },
  );
}

/** The tasks of a project that run now. */
export function runningTasks(reader: Reader, projectId: ProjectId): Reachable[] {
  return reader.all<Reachable>("SELECT id, status FROM tasks WHERE project_id = :projectId AND status = 'running' ORDER BY sequence", {
    projectId,
  });
}

/** The routing table of a project, or the whole of it. */
export function listSubscriptions(reader: Reader, projectId: ProjectId | undefined, limit: number): Subscription[] {
  return reader.all<Subscription>(
    `SELECT projects.name AS project, topic, projects.name || '#' || tasks.number AS task, task_id AS taskId, since
     FROM subscriptions JOIN tasks ON tasks.id = task_id JOIN projects ON projects.id = subscriptions.project_id
     ${projectId === undefined ? "" : "WHERE subscriptions.project_id = :projectId"} ORDER BY projects.name, topic, tasks.sequence LIMIT :limit`,
    { limit, ...(projectId !== undefined && { projectId }) },
  );
}

/** A task that has ended is sent nothing; one that is wanted again subscribes anew. */
function forgetEnded(tx: Transaction, projectId: ProjectId): void {
  tx.run(
    `DELETE FROM subscriptions WHERE project_id = :projectId
     AND task_id IN (SELECT id FROM tasks WHERE id = task_id AND status IN ('succeeded', 'failed', 'cancelled'))`,
    { projectId },
  );
}
