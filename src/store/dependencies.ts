import { AppError } from "../base/errors.ts";
import type { TaskId } from "../contract/ids.ts";
import type { Task } from "../contract/task.ts";
import { findCycle, type Dependency } from "../domain/dependencies.ts";
import type { Reader, Transaction } from "./database.ts";
import { appendEvent } from "./events.ts";
import { taskKey } from "./task-row.ts";

/**
 * Makes a task depend on others. Throws `invalid` when one of them does not exist, or, naming the members, when the
 * dependencies would form a cycle. A queued or waiting task is held or blocked as they demand (by a trigger).
 */
export function addDependencies(tx: Transaction, taskId: TaskId, dependsOn: readonly TaskId[]): void {
  for (const id of dependsOn) {
    if (!tx.get("SELECT 1 FROM tasks WHERE id = :id", { id })) {
      throw new AppError("invalid", `A task can't depend on ${id}, which does not exist.`, { dependsOn: id });
    }
  }
  refuseCycle(tx, taskId, dependsOn);
  for (const dependsOnId of dependsOn) {
    tx.run("INSERT INTO task_dependencies (task_id, depends_on_id) VALUES (:taskId, :dependsOnId) ON CONFLICT DO NOTHING", {
      taskId,
      dependsOnId,
    });
  }
}

/**
 * Makes a task depend on these and no others. What it is held by is decided anew (by triggers). Throws like `addDependencies`,
 * and `conflict` for a task that runs or has succeeded.
 */
export function setDependencies(tx: Transaction, task: Task, dependsOn: readonly TaskId[], by: string): void {
  if (task.status === "running" || task.status === "succeeded") {
    const why = task.status === "running" ? "is running. Cancel it first" : "has succeeded";
    throw new AppError("conflict", `${task.key} ${why}: what it depends on can't be changed.`);
  }
  // The new ones first, so that it is never free for a moment in between.
  addDependencies(tx, task.id, dependsOn);
  tx.run("DELETE FROM task_dependencies WHERE task_id = :taskId AND depends_on_id NOT IN (SELECT value FROM json_each(:dependsOn))", {
    taskId: task.id,
    dependsOn: JSON.stringify(dependsOn),
  });
  tx.run("UPDATE tasks SET updated_at = :now WHERE id = :taskId", { taskId: task.id, now: tx.now });
  const data = { dependsOn: [...dependsOn], by };
  appendEvent(tx, { type: "task.dependencies_changed", projectId: task.projectId, taskId: task.id, data });
}

function refuseCycle(reader: Reader, taskId: TaskId, dependsOn: readonly TaskId[]): void {
  const added = dependsOn.map((id): Dependency<TaskId> => ({ task: taskId, dependsOn: id }));
  // What nothing depends on can't be part of a cycle, but for one with itself.
  const hasDependents = reader.get("SELECT 1 FROM task_dependencies WHERE depends_on_id = :taskId LIMIT 1", { taskId }) !== undefined;
  const cycle = findCycle(hasDependents ? [...added, ...dependenciesBelow(reader, dependsOn)] : added);
  if (!cycle) return;
  const keys = cycle.map((id) => taskKey(reader, id));
  throw new AppError("invalid", `These tasks would wait for each other for ever: ${[...keys, keys[0]].join(" needs ")}.`, { cycle });
}

/** Every dependency that can be reached from these tasks. */
function dependenciesBelow(reader: Reader, tasks: readonly TaskId[]): Dependency<TaskId>[] {
  return reader.all<Dependency<TaskId>>(
    `WITH RECURSIVE reached (id) AS (
       SELECT value FROM json_each(:tasks)
       UNION
       SELECT depends_on_id FROM task_dependencies JOIN reached ON task_id = reached.id
     )
     SELECT task_id AS task, depends_on_id AS dependsOn FROM reached JOIN task_dependencies ON task_id = reached.id`,
    { tasks: JSON.stringify(tasks) },
  );
}
