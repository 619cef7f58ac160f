import type { Effect } from "../contract/effect.ts";
import type { TaskId } from "../contract/ids.ts";
import type { Run } from "../contract/run.ts";
import type { Reader, Transaction } from "./database.ts";
import { listEffects } from "./effects.ts";

const OPEN = "id = :id AND epoch = :epoch AND finished_at IS NULL AND epoch = (SELECT tasks.epoch FROM tasks WHERE tasks.id = task_id)";

/** Counts a call of a run's agent. `used_up`: it has made `max` of them. `ended`: nobody speaks for the run any more. */
export function takeBrokerCall(tx: Transaction, { id, epoch }: Pick<Run, "id" | "epoch">, max: number): "taken" | "used_up" | "ended" {
  const { changes } = tx.run(`UPDATE runs SET broker_calls = broker_calls + 1 WHERE ${OPEN} AND broker_calls < :max`, { id, epoch, max });
  if (changes > 0) return "taken";
  return isOpen(tx, { id, epoch }) ? "used_up" : "ended";
}

/** Whether the run has not ended and is the newest of its task. */
export function isOpen(reader: Reader, { id, epoch }: Pick<Run, "id" | "epoch">): boolean {
  return reader.get(`SELECT 1 FROM runs WHERE ${OPEN}`, { id, epoch }) !== undefined;
}

/** The comments of a run's agent, oldest first. */
export function agentComments(reader: Reader, { taskId, epoch }: Pick<Run, "taskId" | "epoch">): Effect[] {
  return listEffects(reader, taskId).filter((effect) => effect.payload.kind === "agent_comment" && effect.epoch === epoch);
}

/** The newest effect that opens or updates the pull request of a task. */
export function lastPullEffect(reader: Reader, taskId: TaskId): Effect | undefined {
  return listEffects(reader, taskId).findLast(({ payload }) => payload.kind === "pull_request");
}

/** What its agents want the pull request of a task to say besides the proof, as it was said last; null: nothing. */
export function pullNote(reader: Reader, taskId: TaskId): string | null {
  const row = reader.get<{ note: string }>(
    `SELECT json_extract(payload, '$.note') AS note FROM effects
     WHERE task_id = :taskId AND kind = 'pull_request' AND json_extract(payload, '$.note') IS NOT NULL ORDER BY sequence DESC LIMIT 1`,
    { taskId },
  );
  return row?.note ?? null;
}
