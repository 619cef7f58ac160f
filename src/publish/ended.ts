import type { TaskId } from "../contract/ids.ts";
import type { Transaction } from "../store/database.ts";
import { enqueueEffect } from "../store/effects.ts";
import { getTask } from "../store/tasks.ts";
import { renderEnded } from "./render.ts";

/**
 * Brings the status comments up to date of those among `tasks` that are cancelled or have failed now. For tasks that ended
 * between two runs: one that runs gets its last comment from its end, and one that never ran has none.
 */
export function tellEnded(tx: Transaction, tasks: readonly TaskId[]): void {
  for (const id of tasks) {
    const task = getTask(tx, id);
    const { projectId, epoch, source } = task;
    if (!["cancelled", "failed"].includes(task.status) || epoch === 0 || source.issue === null) continue;
    const payload = { kind: "comment", issue: source.issue, body: renderEnded(task), linksPullRequest: false } as const;
    enqueueEffect(tx, { projectId, taskId: id, epoch, payload });
  }
}
