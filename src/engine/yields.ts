import { AppError } from "../base/errors.ts";
import type { Stage } from "../contract/workflow.ts";
import { readTaskList } from "../workflow/task-list.ts";
import { readVerdict } from "../workflow/verdict.ts";

/** Why a report does not say what its stage is to yield, for the agent that wrote it; undefined: it does. */
export function whyNotYielded({ yields }: Pick<Stage, "yields">, report: string): string | undefined {
  try {
    if (yields === "tasks") readTaskList(report);
    if (yields === "verdict") readVerdict(report);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === "invalid") return thrown.message;
    throw thrown;
  }
}
