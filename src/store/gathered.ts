import type { TaskId } from "../contract/ids.ts";
import type { Reader, Transaction } from "./database.ts";

/** Commits: what a task's children were cut from at first, and where their work stands together. */
export interface Gathered {
  readonly baseCommit: string;
  readonly headCommit: string;
}

/** What the children of a task have come to so far; undefined: none has ended well yet. */
export function findGathered(reader: Reader, taskId: TaskId): Gathered | undefined {
  return reader.get<Gathered>("SELECT base_commit AS baseCommit, head_commit AS headCommit FROM gathered WHERE task_id = :taskId", {
    taskId,
  });
}

/** Notes where the work of a task's children stands now. */
export function saveGathered(tx: Transaction, taskId: TaskId, { baseCommit, headCommit }: Gathered): void {
  tx.run(
    `INSERT INTO gathered (task_id, base_commit, head_commit) VALUES (:taskId, :baseCommit, :headCommit)
     ON CONFLICT DO UPDATE SET head_commit = :headCommit`,
    { taskId, baseCommit, headCommit },
  );
}
