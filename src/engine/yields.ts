import { AppError } from "../base/errors.ts";
import type { RunOutcome } from "../contract/run.ts";
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

/** Whether a person is to approve what a stage came to before anything follows from it. */
export function needsApproval({ approval, yields }: Pick<Stage, "approval" | "yields">, outcome: RunOutcome): boolean {
  if (approval !== "issue") return approval;
  return yields === "verdict" && outcome.status === "no_change" && readVerdict(outcome.report).verdict === "issue";
}
