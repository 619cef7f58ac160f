import { AppError } from "../base/errors.ts";
import type { Task } from "../contract/task.ts";
import { resolveAlerts } from "../store/alerts.ts";
import type { Transaction } from "../store/database.ts";
import { getProject } from "../store/projects.ts";
import { listRuns } from "../store/runs.ts";
import { approveTask, requestCancel } from "../store/transitions.ts";
import { fileChildren } from "./children.ts";
import { deliveryOf } from "./delivery.ts";
import { keepFinished } from "./merging/finished.ts";
import type { EngineParts } from "./parts.ts";
import { stageAfter, stageOf } from "./workflow-library.ts";

/** A person approves what a task waits with: its next stage begins, with the tasks that the stage yielded, or its result is delivered. */
export function approve(parts: EngineParts, tx: Transaction, task: Task): Task {
  const workflow = parts.workflows.of(task, tx);
  const next = stageAfter(workflow, task.stage);
  const [run] = listRuns(tx, { taskId: task.id, limit: 1 });
  if (!run?.outcome) throw new AppError("conflict", `${task.key} waits for no approval: it is ${task.status}.`);
  if (next && task.reason === "approval") fileChildren(parts, tx, task, stageOf(workflow, task.stage), run.outcome);
  const effects = next ? [] : deliveryOf(tx, getProject(tx, task.projectId), task, run);
  const approved = approveTask(tx, task.id, next?.name ?? null, effects);
  resolveAlerts(tx, "approval_wanted", task.key);
  keepFinished(parts, tx, task, effects);
  return approved;
}

/** A person denies it: the task is cancelled; what was done is kept as that of every cancelled task. */
export function deny(tx: Transaction, task: Task, actor: string, message: string): Task {
  if (task.status !== "blocked" || task.reason !== "approval") {
    throw new AppError("conflict", `${task.key} waits for no approval: it is ${task.status}.`);
  }
  resolveAlerts(tx, "approval_wanted", task.key);
  return requestCancel(tx, task.id, {
    by: "user",
    actor,
    message: message === "" ? `Denied by ${actor}.` : `Denied by ${actor}: ${message}`,
  });
}
