import type { TaskId } from "../contract/ids.ts";
import type { Run } from "../contract/run.ts";
import { isOpen } from "./broker.ts";
import type { Reader, Transaction } from "./database.ts";

/** Counts a call that a run's agent makes by a tool. `used_up`: it has made `max` of them. `ended`: nobody speaks for the run any more. */
export function takeToolCall(tx: Transaction, { id, epoch }: Pick<Run, "id" | "epoch">, max: number): "taken" | "used_up" | "ended" {
  if (!isOpen(tx, { id, epoch })) return "ended";
  const { changes } = tx.run("UPDATE runs SET tool_calls = tool_calls + 1 WHERE id = :id AND tool_calls < :max", { id, max });
  return changes > 0 ? "taken" : "used_up";
}

/** How the sources of tasks that the agents of a task filed begin. */
export function filedKey(taskId: TaskId): string {
  return `${taskId}:filed:`;
}

/** How many tasks the agents of a task have filed. */
export function countFiled(reader: Reader, taskId: TaskId): number {
  const key = filedKey(taskId);
  const row = reader.get<{ count: number }>(
    `SELECT count(*) AS count FROM tasks WHERE project_id = (SELECT project_id FROM tasks WHERE id = :taskId)
       AND source_kind = 'task' AND source_key >= :key AND source_key < :end`,
    { taskId, key, end: `${key}~` },
  );
  return row?.count ?? 0;
}
