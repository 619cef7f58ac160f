import type { CheckComparison } from "../contract/proof.ts";
import type { Run, RunOutcome } from "../contract/run.ts";
import type { Task, TaskStatus } from "../contract/task.ts";
import type { TaskDetail } from "../contract/routes.ts";
import { ago, count, dateTime, inOneUnit, money, plural } from "./format.ts";
import { describeState } from "./describe-state.ts";
import { painted, show, Shown, type Paint } from "./shown.ts";

const SHOWN_FAILURES_MAX = 10;

const paints: Readonly<Record<TaskStatus, Paint>> = {
  draft: "dim",
  queued: "bold",
  running: "cyan",
  waiting: "dim",
  blocked: "yellow",
  succeeded: "green",
  failed: "red",
  cancelled: "dim",
};

export function statusOf({ status, reason }: Pick<Task, "status" | "reason">): Shown {
  return show`${painted(paints[status], status)}${reason === null ? "" : ` (${reason})`}`;
}

export const taskColumns = ["TASK", "STATUS", "STAGE", "UPDATED", "COST", "TITLE"] as const;

export function taskRow(task: Task, now: number): Shown[] {
  return [
    painted("bold", task.key),
    statusOf(task),
    show`${task.stage}`,
    show`${ago(task.updatedAt, now)}`,
    show`${money(task.usage.costUsdMicros)}`,
    show`${task.title}`,
  ];
}

/** All about one task that a person would ask. `needed`: the tasks that it depends on. */
export function describeTask(task: TaskDetail, needed: readonly Task[], now: number): Shown[] {
  const isPushed = task.effects.some(({ payload, status }) => payload.kind === "push" && status === "done");
  return [
    show`${painted("bold", task.key)} ${task.title}`,
    show`Status       ${statusOf(task)}${task.message === null ? "" : `: ${task.message}`}`,
    ...(task.status === "queued" && task.runAfter > now ? [show`Not before   ${dateTime(task.runAfter)}`] : []),
    show`Stage        ${task.stage} of ${task.workflow}, attempt ${task.attempt} of ${task.attemptMax}`,
    show`Priority     ${task.priority}${task.deadlineAt === null ? "" : `, deadline ${dateTime(task.deadlineAt)}`}`,
    show`Source       ${task.source.url ?? task.source.kind}${task.source.actor === null ? "" : ` by ${task.source.actor}`}`,
    show`Created      ${ago(task.createdAt, now)}${task.finishedAt === null ? "" : `, ended ${ago(task.finishedAt, now)}`}`,
    show`Usage        ${count(task.usage.inputTokens)} in, ${count(task.usage.outputTokens)} out, ${money(task.usage.costUsdMicros)}`,
    ...needed.map((one) => show`After        ${one.key} ${one.title}: ${statusOf(one)}`),
    ...(task.branch === null ? [] : [show`Branch       ${task.branch}${isPushed ? "" : " (not pushed)"}`]),
    ...(task.pullRequest === null ? [] : [show`PR           ${painted("cyan", task.pullRequest.url)}`]),
    ...task.runs.flatMap((run) => describeRun(run, now)),
    ...task.checkpoints.map(
      ({ index, commit, at, reason }) => show`Checkpoint   ${index}  ${commit.slice(0, 12)}  ${reason}, ${ago(at, now)}`,
    ),
    ...task.effects
      .filter(({ status }) => status !== "done" && status !== "dropped")
      .map(({ payload, status, lastError }) => show`Effect       ${payload.kind}: ${status}${lastError === null ? "" : `, ${lastError}`}`),
    ...(task.body === "" ? [] : [show``, Shown.lines(task.body.trimEnd())]),
  ];
}

function describeRun(run: Run, now: number): Shown[] {
  const took = inOneUnit((run.finishedAt ?? now) - run.startedAt);
  const state =
    run.outcome === null ? show`${run.progress} on worker ${run.worker}, for ${took}` : show`${describeOutcome(run.outcome)}, ${took}`;
  return [
    show`Run          ${run.id}  ${run.stage} ${run.attempt}, ${run.agent}: ${state}`,
    ...(run.state === null || run.outcome !== null ? [] : [show`  state      ${describeState(run.state, now)}`]),
    ...run.questions.map(({ id, tool, input }) => show`  ${painted("yellow", "asks")}       ${id}: ${tool} ${input}`),
    ...checksOf(run.outcome).flatMap(describeCheck),
  ];
}

function describeCheck({ name, verdict, newFailures }: CheckComparison): Shown[] {
  const more = newFailures.length - SHOWN_FAILURES_MAX;
  return [
    show`  check      ${name}: ${verdict.replace("_", " ")}`,
    ...newFailures.slice(0, SHOWN_FAILURES_MAX).map((failure) => show`    new      ${failure}`),
    ...(more > 0 ? [show`    new      and ${more} more: --json`] : []),
  ];
}

export function describeOutcome(outcome: RunOutcome): Shown {
  switch (outcome.status) {
    case "succeeded":
      return show`${painted("green", "succeeded")}, ${plural(outcome.proof.checks.length, "check")} passed`;
    case "no_change":
      return show`ended without a change`;
    case "failed":
      return show`${painted("red", "failed")} (${outcome.reason}): ${outcome.message}`;
    case "cancelled":
      return show`cancelled by ${outcome.by}: ${outcome.message}`;
  }
}

function checksOf(outcome: RunOutcome | null) {
  return (outcome?.status === "succeeded" || outcome?.status === "failed" ? outcome.proof?.checks : undefined) ?? [];
}
