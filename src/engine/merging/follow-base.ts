import { AppError, messageOf } from "../../base/errors.ts";
import type { Branch } from "../../contract/branch.ts";
import type { EffectPayload } from "../../contract/effect.ts";
import type { Proof } from "../../contract/proof.ts";
import type { Task } from "../../contract/task.ts";
import { renderComment, renderPullRequest } from "../../publish/render.ts";
import { raiseAlert, resolveAlerts } from "../../store/alerts.ts";
import { moveBranch, settleBranch } from "../../store/branches.ts";
import type { Reader } from "../../store/database.ts";
import { enqueueEffect } from "../../store/effects.ts";
import { listRuns } from "../../store/runs.ts";
import { getTask } from "../../store/tasks.ts";
import { evidenceOf } from "../delivery.ts";
import type { Job } from "../job.ts";
import type { EngineParts } from "../parts.ts";
import { describeBroken } from "./commit-checker.ts";
import { BASE_CONFLICT, describeConflict, giveBack } from "./conflict.ts";
import { standingOf, type Scene } from "./scene.ts";

/** The runs of a task that are looked through for how the last one ended. */
const RUNS_MAX = 100;

/**
 * Puts a finished branch onto the newest base: rebased in our own repository, checked there again, and then pushed with its
 * new proof. One that no longer fits is given back; one that is merged, closed or somebody else's is left.
 */
export async function followWithBranch(scene: Scene, branch: Branch, base: string): Promise<void> {
  if (branch.baseCommit === base) return;
  const standing = await standingOf(scene, branch, base);
  if (standing.state === "settled" || standing.state === "unpublished") return;
  const { parts, project, checker, signal } = scene;
  const rebased = await parts.branches.rebase(project, branch, base);
  if ("conflicts" in rebased) return giveBack(scene, branch, base, rebased);
  if (rebased.commit === base) {
    await parts.database.write((tx) => settleBranch(tx, branch, "merged", "All that it changes is in the base already."));
    return;
  }
  const commits = { baseCommit: base, headCommit: rebased.commit };
  const checks = await checker.compare(scene, { base, head: rebased.commit }, branch.taskKey, signal);
  const failure = describeBroken(checks);
  if (failure !== undefined) return giveBack(scene, branch, base, { failure });
  const changes = await parts.branches.describe(project, commits);
  await publish(scene, branch, { ...commits, changes, checks });
}

/**
 * Before a run: moves what is in its task's workspace onto the base that it is to begin from. A conflict is left to the agent, with both
 * sides in the files, where the project says so or a person did by wanting the task again. Throws `conflict` with
 * `details.reason` when a person is to say so first.
 */
export async function followWithWorkspace(parts: EngineParts, { task, project, config, log }: Job, base: string): Promise<void> {
  const { followBase, onConflict } = config.defaults;
  if (!followBase) return;
  const marks = onConflict === "agent" || wasAsked(parts.database.reader, task);
  const move = await tryMove(parts, { task, project, log }, base, marks);
  if (move === undefined || !("from" in move)) return;
  log.info("base moved under a workspace", { outcome: move.outcome, from: move.from, to: base, conflicts: move.conflicts });
  if (move.conflicts.length === 0) return;
  const refused = move.outcome === "refused";
  const end = refused && onConflict === "person" ? ` Let its agent resolve it: drover task retry ${task.key}` : "";
  const message = `${describeConflict(task.key, move.conflicts)}${end}`;
  await parts.database.write((tx) =>
    raiseAlert(tx, { kind: BASE_CONFLICT, subject: task.key, message, projectId: project.id, taskId: task.id }),
  );
  if (refused && onConflict === "person") throw new AppError("conflict", message, { reason: BASE_CONFLICT });
}

async function tryMove(parts: EngineParts, { task, project, log }: Pick<Job, "task" | "project" | "log">, base: string, marks: boolean) {
  try {
    return await parts.workspaces.move(project, task, base, { marks, at: parts.clock.now() });
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== "conflict") throw thrown;
    // Not all in it can be saved, so it stays as it is, on the base that it has; the run itself tells of that at its end.
    log.warn("a workspace could not be moved onto the new base", { error: messageOf(thrown) });
    return undefined;
  }
}

/** Whether the run before this one stopped at a conflict, and a person then wanted the task again. */
function wasAsked(reader: Reader, { id }: Task): boolean {
  const ended = listRuns(reader, { taskId: id, limit: 2 }).find(({ outcome }) => outcome !== null);
  return ended?.outcome?.status === "failed" && ended.outcome.reason === BASE_CONFLICT;
}

async function publish({ parts, project }: Scene, branch: Branch, proof: Proof): Promise<void> {
  const { taskId, projectId } = branch;
  await parts.branches.keep(project, getTask(parts.database.reader, taskId), proof);
  await parts.database.write((tx) => {
    if (!moveBranch(tx, branch, proof)) return;
    const task = getTask(tx, taskId);
    for (const payload of effectsOf(tx, task, project.baseBranch, branch, proof))
      enqueueEffect(tx, { projectId, taskId, epoch: task.epoch, payload });
    resolveAlerts(tx, BASE_CONFLICT, branch.taskKey);
  });
}

function effectsOf(reader: Reader, task: Task, base: string, { name }: Branch, proof: Proof): EffectPayload[] {
  const push: EffectPayload = { kind: "push", branch: name, commit: proof.headCommit };
  const run = listRuns(reader, { taskId: task.id, limit: RUNS_MAX }).find((one) => one.outcome?.status === "succeeded");
  if (run?.outcome?.status !== "succeeded") return [push];
  const outcome = { ...run.outcome, proof };
  const opensPull = task.delivery === "pull_request";
  const pull: EffectPayload[] = opensPull
    ? [{ kind: "pull_request", branch: name, base, ...renderPullRequest({ task, run, outcome, ...evidenceOf(reader, task, run) }) }]
    : [];
  if (task.source.issue === null) return [push, ...pull];
  const body = renderComment({ task, run: { ...run, outcome }, next: { status: "succeeded", runAfter: null } });
  return [push, ...pull, { kind: "comment", issue: task.source.issue, body, linksPullRequest: opensPull }];
}
