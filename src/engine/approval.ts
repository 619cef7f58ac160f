import { AppError } from "../base/errors.ts";
import type { Task } from "../contract/task.ts";
import { resolveAlerts } from "../store/alerts.ts";
import type { Transaction } from "../store/database.ts";
import { getProject } from "../store/projects.ts";
import { latestProof, listRuns } from "../store/runs.ts";
import { approveTask, requestCancel } from "../store/transitions.ts";
import { fileChildren } from "./children.ts";
import { deliveryOf } from "./delivery.ts";
import { keepFinished } from "./merging/finished.ts";
import type { EngineParts } from "./parts.ts";
import { SUPERVISION_ISSUE } from "./supervision/reports.ts";
import { gather, keepGathering, type Gathering } from "./gathering.ts";
import { stageAfter, stageOf } from "./workflow-library.ts";

/** A person approves what a task waits with: its next stage begins, with the tasks that the stage yielded, or its result is delivered. */
export function approve(parts: EngineParts, tx: Transaction, task: Task, gathering: Gathering | null): Task {
  const workflow = parts.workflows.of(task, tx);
  const next = stageAfter(workflow, task.stage);
  const [run] = listRuns(tx, { taskId: task.id, limit: 1 });
  if (!run?.outcome) throw new AppError("conflict", `${task.key} waits for no approval: it is ${task.status}.`);
  if (next && task.reason === "approval") fileChildren(parts, tx, task, stageOf(workflow, task.stage), run.outcome);
  const effects = next ? [] : deliveryOf(tx, getProject(tx, task.projectId), task, run);
  if (!next && gathering && !keepGathering(tx, gathering))
    throw new AppError("conflict", `Another part came in at this moment. Approve ${task.key} again.`);
  const approved = approveTask(tx, task.id, next?.name ?? null, effects);
  resolveApproval(tx, task);
  keepFinished(parts, tx, task, effects);
  return approved;
}

/** What a child that waits for approval at its last stage is to bring into the work of its parent. Throws `conflict` where the two don't go together. */
export async function gatherForApproval(parts: EngineParts, task: Task): Promise<Gathering | null> {
  const { reader } = parts.database;
  const proof = stageAfter(parts.workflows.of(task), task.stage) === undefined ? latestProof(reader, task.id) : undefined;
  const gathered = proof ? await gather(parts, getProject(reader, task.projectId), task, proof) : null;
  if (gathered === null || "from" in gathered) return gathered;
  throw new AppError(
    "conflict",
    `${task.key} conflicts with another part in ${gathered.conflicts.slice(0, 10).join(", ")}. Deny it, and retry it from there.`,
  );
}

/** A person denies it: the task is cancelled; what was done is kept as that of every cancelled task. */
export function deny(tx: Transaction, task: Task, actor: string, message: string): Task {
  if (task.status !== "blocked" || task.reason !== "approval") {
    throw new AppError("conflict", `${task.key} waits for no approval: it is ${task.status}.`);
  }
  resolveApproval(tx, task);
  return requestCancel(tx, task.id, {
    by: "user",
    actor,
    message: message === "" ? `Denied by ${actor}.` : `Denied by ${actor}: ${message}`,
  });
}

/** A person has said how it goes on, whatever it was that they were asked for. */
function resolveApproval(tx: Transaction, { key }: Task): void {
  for (const kind of ["approval_wanted", SUPERVISION_ISSUE]) resolveAlerts(tx, kind, key);
}
