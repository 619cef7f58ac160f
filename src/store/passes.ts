import type { TaskId } from "../contract/ids.ts";
import type { PassName, PassResult } from "../contract/prd.ts";
import type { Reader, Transaction } from "./database.ts";

/** What a pass of a PRD's decomposition came to, and who gave it: `agent`, `structure`, or a person. */
export interface KeptPass {
  readonly pass: PassName;
  readonly result: PassResult;
  readonly by: string;
  readonly at: number;
}

/** Keeps what a pass came to, in place of what it came to before. */
export function savePass(tx: Transaction, taskId: TaskId, { pass, result, by }: Pick<KeptPass, "pass" | "result" | "by">): void {
  tx.run(
    `INSERT INTO prd_passes (task_id, pass, result, given_by, at) VALUES (:taskId, :pass, :result, :by, :now)
     ON CONFLICT DO UPDATE SET result = :result, given_by = :by, at = :now`,
    { taskId, pass, result: JSON.stringify(result), by, now: tx.now },
  );
}

/** The passes that a task has been through. */
export function listPasses(reader: Reader, taskId: TaskId): KeptPass[] {
  const rows = reader.all<Omit<KeptPass, "result"> & { result: string }>(
    "SELECT pass, result, given_by AS by, at FROM prd_passes WHERE task_id = :taskId",
    { taskId },
  );
  return rows.map((row) => ({ ...row, result: JSON.parse(row.result) as PassResult }));
}
