import { AppError } from "../../base/errors.ts";
import { safeText } from "../../base/text.ts";
import { endedStatuses, type Task, type TaskStatus } from "../../contract/task.ts";
import type { ProposedAction, Report, ReportAction } from "../../contract/report.ts";
import type { Run, RunOutcome } from "../../contract/run.ts";
import type { Stage } from "../../contract/workflow.ts";
import { openSubjects, raiseAlert, resolveAlerts } from "../../store/alerts.ts";
import type { Transaction } from "../../store/database.ts";
import { addReport } from "../../store/reports.ts";
import { findTask } from "../../store/tasks.ts";
import { readVerdict } from "../../workflow/verdict.ts";
import { sendMessage } from "../messaging/send.ts";
import type { EngineParts } from "../parts.ts";
import { isSupervisory, watchedAt, type Watched } from "./watched.ts";

/** An agent found something that a person must see; the same subject again is the same alert. */
export const SUPERVISION_ISSUE = "supervision_issue";
/** The same of what concerns more than one project; its subject is the cause. */
const SYSTEM_ISSUE = "system_issue";

const SUMMARY_MAX = 600;

interface Concluded {
  readonly task: Task;
  readonly run: Run;
  readonly stage: Stage;
  readonly outcome: RunOutcome;
}

/**
 * Keeps what a run concluded, in the transaction that ends it: the report, what it proposes where that may be done, and the
 * alert that follows. Undefined: its stage yields no verdict, or it came to none.
 */
export function keepReport(parts: EngineParts, tx: Transaction, { task, run, stage, outcome }: Concluded): Report | undefined {
  if (stage.yields !== "verdict" || outcome.status !== "no_change") return undefined;
  const { verdict, summary, findings, actions } = readVerdict(outcome.report);
  const watched = watchedAt(parts, tx, task, stage);
  const report = addReport(tx, {
    scope: watched.scope,
    taskId: watched.scope === "task" ? watched.task.id : null,
    projectId: watched.scope === "task" ? watched.task.projectId : watched.scope === "project" ? watched.project.id : null,
    runId: run.id,
    byTaskId: task.id,
    verdict,
    summary,
    findings,
    actions: actions.map((action) => take(parts, tx, { task, run, stage, watched }, action)),
  });
  if (run.kind === "manager" && watched.scope === "system") alertOfCauses(tx, report);
  else alertOfSubject(tx, report, stage);
  return report;
}

interface Proposer extends Pick<Concluded, "task" | "run" | "stage"> {
  readonly watched: Watched;
}

/** Does what an agent proposes, or says why not: it decides nothing itself. */
function take(parts: EngineParts, tx: Transaction, proposer: Proposer, proposed: ProposedAction): ReportAction {
  const refusal = whyRefused(parts, tx, proposer, findTask(tx, proposed.task)) ?? send(parts, tx, proposer, proposed);
  return { ...proposed, done: refusal === null, refusal };
}

/** As a message of the agent's: what it shares reaches the other in its next prompt or at once, a stop ends it with its work kept. */
function send(parts: EngineParts, tx: Transaction, { task, run }: Proposer, { action, task: target, text }: ProposedAction): string | null {
  try {
    sendMessage(parts, tx, {
      sender: { by: "supervisor", runId: run.id, task: task.key },
      projectId: null,
      recipient: { to: "task", task: target },
      payload: { kind: action, text },
    });
    return null;
  } catch (thrown) {
    // It may have sent too much already; its report is kept all the same, and says so.
    if (thrown instanceof AppError) return thrown.message;
    throw thrown;
  }
}

function whyRefused(parts: EngineParts, tx: Transaction, { task, stage, watched }: Proposer, target: Task | undefined): string | null {
  if (target === undefined) return "There is no such task.";
  if (stage.kind === "worker") return "Only a supervisory agent may ask for something to be done to other tasks.";
  if (target.id === task.id) return "It may not ask for something to be done to its own task.";
  if (watched.scope === "task" && watched.task.id !== target.id) return `It looks at ${watched.task.key} alone.`;
  if (watched.scope === "project" && watched.project.id !== target.projectId)
    return `It looks at the project ${watched.project.name} alone.`;
  if (isSupervisory(parts, target, tx)) return "That is supervision itself.";
  return (endedStatuses as readonly TaskStatus[]).includes(target.status) ? `It has ended already: ${target.status}.` : null;
}

function alertOfSubject(
  tx: Transaction,
  { id, verdict, subject, summary, projectId, taskId, byTaskKey }: Report,
  { approval }: Stage,
): void {
  if (verdict === "clear") return resolveAlerts(tx, SUPERVISION_ISSUE, subject);
  const decide = approval === false ? "" : ` It waits for a person: drover task approve '${subject}', or deny.`;
  const message = `${subject}: ${short(summary)}${decide} Found by ${byTaskKey}: drover report show ${id}`;
  raiseAlert(tx, { kind: SUPERVISION_ISSUE, subject, message, ...(projectId && { projectId }), ...(taskId && { taskId }) });
}

/** An alert a cause. What the manager no longer finds has passed. */
function alertOfCauses(tx: Transaction, { id, verdict, summary, findings, byTaskKey }: Report): void {
  const causes = new Map<string, string>();
  if (verdict === "issue") {
    for (const { key, title, severity } of findings) if (key !== null && severity !== "note") causes.set(key, title);
    if (causes.size === 0) causes.set("system", summary);
  }
  for (const subject of openSubjects(tx, SYSTEM_ISSUE)) if (!causes.has(subject)) resolveAlerts(tx, SYSTEM_ISSUE, subject);
  for (const [subject, title] of causes) {
    raiseAlert(tx, { kind: SYSTEM_ISSUE, subject, message: `${short(title)} Found by ${byTaskKey}: drover report show ${id}` });
  }
}

function short(text: string): string {
  const plain = safeText(text);
  return plain.length > SUMMARY_MAX ? `${plain.slice(0, SUMMARY_MAX)}…` : plain;
}
