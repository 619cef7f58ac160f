import type { TaskStatus } from "../contract/task.ts";

/** The statuses a new task may begin with. */
export const firstStatuses: readonly TaskStatus[] = ["draft", "queued", "waiting", "blocked"];

/**
 * The state machine of a task: from each status, the ones it may move to. The database refuses every other move, whoever
 * writes (`tasks_move_as_allowed` in the migrations; a test holds the two equal). `succeeded` is final but for work that
 * no longer fits the base. A task that is wanted is queued; when its dependencies are not ready, the database moves it on to `waiting` or `blocked`.
 */
export const taskMoves: Readonly<Record<TaskStatus, readonly TaskStatus[]>> = {
  draft: ["queued", "cancelled"],
  queued: ["running", "waiting", "blocked", "failed", "cancelled"],
  running: ["queued", "blocked", "succeeded", "failed", "cancelled"],
  waiting: ["queued", "blocked", "cancelled"],
  blocked: ["queued", "waiting", "succeeded", "failed", "cancelled"],
  succeeded: ["queued", "blocked"],
  failed: ["queued"],
  cancelled: ["queued"],
};

export function mayMove(from: TaskStatus, to: TaskStatus): boolean {
  return taskMoves[from].includes(to);
}

/** A move of a task as its history has it. */
export interface TaskMove {
  readonly from: TaskStatus;
  readonly to: TaskStatus;
}

/**
 * The status that a history leads to: the first status and each move after it. A move that does not begin where the one
 * before it ended, or that is not allowed, is described in `problem` and the fold goes on from where the move led.
 */
export function foldMoves(first: TaskStatus, moves: readonly TaskMove[]): { status: TaskStatus; problem: string | null } {
  let status = first;
  let problem = firstStatuses.includes(first) ? null : `it began as ${first}`;
  for (const { from, to } of moves) {
    if (from !== status) problem ??= `it was ${status} and then moved from ${from} to ${to}`;
    else if (!mayMove(from, to)) problem ??= `it moved from ${from} to ${to}, which is not allowed`;
    status = to;
  }
  return { status, problem };
}
