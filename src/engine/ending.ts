import { messageOf } from "../base/errors.ts";
import { safeLine } from "../base/text.ts";
import type { EffectPayload } from "../contract/effect.ts";
import type { Project } from "../contract/project.ts";
import type { Report } from "../contract/report.ts";
import type { Run, RunOutcome } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import type { Stage, Workflow } from "../contract/workflow.ts";
import { retryDelay } from "../domain/backoff.ts";
import { notesOf, unchangedIterations } from "../domain/loop.ts";
import { nextStep, type LoopFacts, type NextStep } from "../domain/next-step.ts";
import { renderComment } from "../publish/render.ts";
import { raiseAlert, resolveAlerts } from "../store/alerts.ts";
import type { Transaction } from "../store/database.ts";
import { addLoopNotes, listLoopNotes } from "../store/loop-notes.ts";
import { getProject } from "../store/projects.ts";
import { takeBack } from "../store/receipts.ts";
import { firstRunAt, getRun } from "../store/runs.ts";
import { getTask } from "../store/tasks.ts";
import { cancelRequest, finishRun } from "../store/transitions.ts";
import { fileChildren } from "./children.ts";
import { commentOf, deliveryOf } from "./delivery.ts";
import { keepGathering, type Gathering } from "./gathering.ts";
import { accountOf, agentsFor } from "./governor.ts";
import { recordDaemonHooks } from "./job.ts";
import { learnFromEnd } from "./lessons.ts";
import { keepFinished } from "./merging/finished.ts";
import type { EngineParts } from "./parts.ts";
import { keepPass } from "./passes.ts";
import { keepReport } from "./supervision/reports.ts";
import { stageAfter, stageOf } from "./workflow-library.ts";
import { needsApproval } from "./yields.ts";

/** How long to wait at most for what others have to mend and said nothing of, such as a forge that does not answer, milliseconds. */
const OUTAGE_MS = 120_000;
/** Of what was found, in what a task says of itself, characters. */
const ISSUE_MAX = 500;

/**
 * Ends a run: its outcome, what becomes of the task, and what that changes outside, in one transaction. False, with nothing
 * done: `gathering` was overtaken by another child's.
 */
export async function endRun(
  parts: EngineParts,
  { id, epoch }: Pick<Run, "id" | "epoch">,
  outcome: RunOutcome,
  gathering: Gathering | null = null,
): Promise<boolean> {
  const kept = await parts.database.write((tx) => {
    const run = getRun(tx, id);
    const task = getTask(tx, run.taskId);
    const way = wayOf(parts, task, run.stage);
    const isCurrent = run.finishedAt === null && epoch === task.epoch;
    if (isCurrent && gathering && !keepGathering(tx, gathering)) return "overtaken";
    const heldUntil = isCurrent ? learnFromEnd(parts, tx, task, run, outcome, kindOf(way)) : null;
    if (isCurrent && run.process === null && run.outputOffset === 0) takeBack(tx, run.id);
    if (isCurrent && way?.stage.loop) addLoopNotes(tx, task.id, run.stage, notesOf(outcome, run.iteration));
    if (isCurrent && way) keepPass(tx, task, way.stage, outcome);
    const report = isCurrent && way ? keepReport(parts, tx, { task, run, stage: way.stage, outcome }) : undefined;
    const next = decide(parts, tx, { task, run, outcome, way, report, accountHeldUntil: heldUntil });
    if (isCurrent && way && next.stage !== null) fileChildren(parts, tx, task, way.stage, outcome);
    recordDaemonHooks(tx, { id, epoch }, [{ type: "run.ended", data: { outcome } }], parts.drivers.get(run.driver));
    if (!finishRun(tx, { id, epoch }, { outcome, next })) return undefined;
    raiseAlerts(tx, task, next, report);
    if (next.status === "succeeded") keepFinished(parts, tx, task, next.effects);
    return next;
  });
  if (kept === "overtaken") return false;
  if (kept) parts.log.info("run ended", { runId: id, outcome: outcome.status, next: kept.status, reason: kept.reason });
  else parts.log.warn("the end of a run was refused: its task was claimed anew", { runId: id, epoch });
  return true;
}

function raiseAlerts(tx: Transaction, { key, id: taskId, projectId }: Task, next: NextStep, report: Report | undefined): void {
  if (next.status === "failed") {
    const message = `${key} failed: ${next.message ?? next.reason ?? "no reason given"}`;
    raiseAlert(tx, { kind: "task_failed", subject: key, message, projectId, taskId });
  }
  // An issue that was found has an alert of its own, which says so too.
  if (next.reason === "approval" && report?.verdict !== "issue") {
    const message = `${key} waits for a person to approve it: drover task approve '${key}', or deny.`;
    raiseAlert(tx, { kind: "approval_wanted", subject: key, message, projectId, taskId });
  }
  if (next.status === "succeeded") resolveAlerts(tx, "task_failed", key);
}

/** A task's workflow and the stage of its run. */
interface Way {
  readonly workflow: Workflow;
  readonly stage: Stage;
}

function wayOf(parts: EngineParts, task: Task, stage: string): Way | undefined {
  try {
    const workflow = parts.workflows.of(task);
    return { workflow, stage: stageOf(workflow, stage) };
  } catch (thrown) {
    // A workflow that is gone: the run has failed for that reason already, and nothing hangs on what it would have yielded.
    parts.log.warn("unknown workflow", { taskId: task.id, error: messageOf(thrown) });
    return undefined;
  }
}

/** What the stage of a run is, as far as its end is judged by that. */
function kindOf(way: Way | undefined) {
  return { yieldsCommit: yieldsCommit(way), isLoop: way !== undefined && way.stage.loop !== null };
}

function yieldsCommit(way: Way | undefined): boolean {
  return way === undefined || way.stage.yields === "commit";
}

/** What to tell the outside when a task's first attempt has begun, also when a person wanted it again. */
export function startEffects(task: Task, run: Run): EffectPayload[] {
  if (task.source.issue === null || run.attempt > 1 || run.iteration > 1) return [];
  return [{ kind: "comment", issue: task.source.issue, body: renderComment({ task, run, next: null }), linksPullRequest: false }];
}

interface Ended {
  readonly task: Task;
  readonly run: Run;
  readonly outcome: RunOutcome;
  readonly way: Way | undefined;
  /** What it concluded of what it looked at. */
  readonly report: Report | undefined;
  /** When the account of the run's agent serves again. */
  readonly accountHeldUntil: number | null;
}

function decide(parts: EngineParts, tx: Transaction, { task, run, outcome, way, report, accountHeldUntil }: Ended): NextStep {
  const { now } = tx;
  const project = getProject(parts.database.reader, task.projectId);
  const config = parts.settings.forProject(project);
  const stage = way?.stage ?? { name: run.stage, agent: null };
  const facts = {
    attempt: task.attempt,
    attemptMax: Math.min(task.attemptMax, way?.stage.limits.attempts ?? Infinity),
    sessionId: run.sessionId,
    yieldsCommit: yieldsCommit(way),
    backoffUntil: now + retryDelay(task.attempt, config.defaults.retryDelayMs, parts.random),
    outageUntil: now + retryDelay(1, OUTAGE_MS, parts.random),
    accountHeldUntil,
    mayHandOver: mayHandOver(parts, agentsFor(config, stage), run.agent),
    nextStage: (way && stageAfter(way.workflow, run.stage)?.name) ?? null,
    needsApproval: way ? needsApproval(way.stage, outcome) : false,
    issue: report?.verdict === "issue" ? safeLine(report.summary, ISSUE_MAX) : null,
    loop: way ? loopFacts(tx, way.stage, run) : null,
  };
  const next = unlessCancelled(parts, task, nextStep(outcome, facts));
  return { ...next, effects: effectsOf(tx, project, task, { ...run, finishedAt: now, outcome }, next, report) };
}

function loopFacts(tx: Transaction, { loop, name }: Stage, { taskId, iteration }: Run): LoopFacts | null {
  if (loop === null) return null;
  const { iterations, unchanged, timeMs } = loop;
  const beganAt = timeMs === null ? tx.now : (firstRunAt(tx, taskId, name) ?? tx.now);
  return {
    iteration,
    iterations,
    unchanged: unchangedIterations(listLoopNotes(tx, taskId, name), iteration),
    unchangedMax: unchanged,
    isTimeUp: timeMs !== null && tx.now - beganAt >= timeMs,
  };
}

/** A cancellation that was asked for when the run had all but ended came too late to stop it, but not for the task. */
function unlessCancelled({ database }: EngineParts, task: Task, next: NextStep): NextStep {
  const wish = next.status === "queued" || next.status === "blocked" ? cancelRequest(database.reader, task.id) : undefined;
  return wish ? { ...next, status: "cancelled", reason: wish.by, message: wish.message, runAfter: null, resumeSessionId: null } : next;
}

/** Whether one of the agents has limits of its own. */
function mayHandOver(parts: EngineParts, agents: readonly string[], from: string): boolean {
  const account = accountOf(parts, from);
  return agents.some((agent) => ![undefined, account].includes(accountOf(parts, agent)));
}

function effectsOf(tx: Transaction, project: Project, task: Task, run: Run, next: NextStep, report: Report | undefined): EffectPayload[] {
  const effects = next.status === "succeeded" ? [...deliveryOf(tx, project, task, run), ...commentOf(tx, task, report)] : [];
  if (task.source.issue === null) return effects;
  const linksPullRequest = effects.some((effect) => effect.kind === "pull_request");
  return [...effects, { kind: "comment", issue: task.source.issue, body: renderComment({ task, run, next }), linksPullRequest }];
}
