import type { TaskId } from "../contract/ids.ts";
import type { LoopNote } from "../contract/run.ts";
import type { Reader, Transaction } from "./database.ts";

/** What was captured of a loop, the oldest first, at most this many of the newest. */
const NOTES_MAX = 1000;
const TEXT_MAX = 8000;

export type NewLoopNote = Pick<LoopNote, "iteration" | "kind" | "text"> & { readonly signature?: string | null };

/** Adds what an iteration leaves behind. A text that is there already, of an iteration that still counts, is not stored again. */
export function addLoopNotes(tx: Transaction, taskId: TaskId, stage: string, entries: readonly NewLoopNote[]): void {
  const known = new Set(listLoopNotes(tx, taskId, stage).map(({ kind, text }) => `${kind} ${text}`));
  for (const { iteration, kind, text: whole, signature = null } of entries) {
    const text = whole.slice(0, TEXT_MAX);
    if (kind !== "rollback" && signature === null && known.has(`${kind} ${text}`)) continue;
    known.add(`${kind} ${text}`);
    tx.run(
      `INSERT INTO loop_notes (task_id, stage, iteration, kind, text, signature, at) VALUES (:taskId, :stage, :iteration, :kind, :text, :signature, :now)`,
      { taskId, stage, iteration, kind, text, signature, now: tx.now },
    );
  }
}

/** What counts: without what a rollback took back. */
export function listLoopNotes(reader: Reader, taskId: TaskId, stage: string): LoopNote[] {
  const rows = reader.all<LoopNote>(
    `SELECT iteration, kind, text, signature, at FROM loop_notes WHERE task_id = :taskId AND stage = :stage ORDER BY sequence DESC LIMIT ${NOTES_MAX}`,
    { taskId, stage },
  );
  const counting: LoopNote[] = [];
  let upTo = Infinity;
  for (const row of rows) {
    if (row.kind === "rollback") upTo = Math.min(upTo, row.iteration);
    else if (row.iteration <= upTo) counting.push({ ...row });
  }
  return counting.toReversed();
}
