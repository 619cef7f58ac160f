import type { Task } from "../contract/task.ts";
import { messageOf } from "../base/errors.ts";
import { waited } from "../domain/waiting.ts";
import { tellEnded } from "../publish/ended.ts";
import { openAlerts, raiseAlert, resolveAlerts } from "../store/alerts.ts";
import type { Transaction } from "../store/database.ts";
import { failOverdue, hasOverdue, noteOverdue, waitingForApproval, waitingTooLong, type WaitingTask } from "../store/overdue.ts";
import { isPaused } from "../store/settings.ts";
import { getTask } from "../store/tasks.ts";
import { approve, deny, gatherForApproval } from "./approval.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { EngineParts } from "./parts.ts";
import { stageOf } from "./workflow-library.ts";

/** So many are told of at a time; the next look tells of more. */
const TOLD_MAX = 100;
/** Approvals are looked through one after the other. A person who has left so many waiting is told of the first. */
const APPROVALS_MAX = 1000;

const TURN_ALERT = "tasks_overdue";
const APPROVAL_ALERT = "approval_overdue";

/**
 * Tells of what waits longer than it may, and does what is configured for that: of tasks that could start and wait for their turn, and of
 * those that wait for a person's approval. While the queue is paused nothing waits for its turn.
 */
export async function settleOverdue(parts: EngineParts, dispatcher: Pick<Dispatcher, "look" | "holdIn" | "heldBack">): Promise<void> {
  await settleTurns(parts, dispatcher);
  await settleApprovals(parts);
  await resolvePassed(parts);
}

async function settleTurns(parts: EngineParts, dispatcher: Pick<Dispatcher, "look" | "holdIn" | "heldBack">): Promise<void> {
  const { reader } = parts.database;
  const { waitMaxMs, onWaitMax } = parts.settings.current().limits;
  if (waitMaxMs === null || isPaused(reader)) return;
  const overdue = waitingTooLong(reader, parts.clock.now() - waitMaxMs, TOLD_MAX);
  if (overdue.length === 0) return;
  const { held } = dispatcher.look();
  await parts.database.write((tx) => {
    for (const { id, since } of overdue) {
      const task = getTask(tx, id);
      const why = dispatcher.holdIn(held, task)?.message ?? dispatcher.heldBack ?? "Others go before it.";
      const message = `It has waited for its turn for ${waited(tx.now - since)}. ${why}`;
      noteOverdue(tx, id, { waitedMs: tx.now - since, message, action: onWaitMax });
      if (onWaitMax === "fail") fail(tx, task, message);
      else raiseAlert(tx, { kind: TURN_ALERT, subject: task.project, message: `${task.key}: ${message}`, projectId: task.projectId });
    }
  });
  parts.log.warn("tasks have waited for their turn longer than they may", { count: overdue.length, action: onWaitMax });
}

function fail(tx: Transaction, { id, key, projectId }: Task, message: string): void {
  failOverdue(tx, id, message);
  tellEnded(tx, [id]);
  raiseAlert(tx, { kind: "task_failed", subject: key, message: `${key} failed: ${message}`, projectId, taskId: id });
}

async function settleApprovals(parts: EngineParts): Promise<void> {
  for (const waiting of waitingForApproval(parts.database.reader, APPROVALS_MAX)) {
    try {
      await settleApproval(parts, waiting);
    } catch (thrown) {
      // Such as a result that conflicts with another part: it waits on for a person, and the others have their turn.
      parts.log.warn("what becomes of an overdue approval could not be done", { taskId: waiting.id, error: messageOf(thrown) });
    }
  }
}

async function settleApproval(parts: EngineParts, { id, since }: WaitingTask): Promise<void> {
  const { database, settings, clock } = parts;
  const { approvalMaxMs, onApprovalMax } = settings.current().limits;
  const stage = stageOf(parts.workflows.of(getTask(database.reader, id)), getTask(database.reader, id).stage);
  const maxMs = stage.approvalMaxMs ?? approvalMaxMs;
  if (maxMs === null || clock.now() - since < maxMs) return;
  const action = stage.onApprovalMax ?? onApprovalMax;
  const gathering = action === "approve" ? await gatherForApproval(parts, getTask(database.reader, id)) : null;
  await database.write((tx) => {
    const task = getTask(tx, id);
    if (task.status !== "blocked" || task.reason !== "approval") return;
    const message = `It has waited for a person to approve it for ${waited(tx.now - since)}.`;
    noteOverdue(tx, id, { waitedMs: tx.now - since, message, action });
    const about = { projectId: task.projectId, taskId: id };
    if (action === "deny") {
      deny(tx, task, "drover", message);
      tellEnded(tx, [id]);
    } else if (action === "approve") approve(parts, tx, task, gathering);
    else raiseAlert(tx, { kind: APPROVAL_ALERT, subject: task.key, message: `${task.key}: ${message}`, ...about });
  });
}

/** Resolves the alerts whose cause is gone, however that came about. */
async function resolvePassed({ database }: Pick<EngineParts, "database">): Promise<void> {
  const { reader } = database;
  const turns = openAlerts(reader, TURN_ALERT).filter(({ projectId }) => projectId !== null && !hasOverdue(reader, projectId));
  const approvals = openAlerts(reader, APPROVAL_ALERT).filter(
    ({ taskId }) => taskId !== null && getTask(reader, taskId).reason !== "approval",
  );
  if (turns.length + approvals.length === 0) return;
  await database.write((tx) => [...turns, ...approvals].forEach(({ kind, subject }) => resolveAlerts(tx, kind, subject)));
}
