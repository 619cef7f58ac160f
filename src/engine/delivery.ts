import type { EffectPayload } from "../contract/effect.ts";
import type { GateEvidence } from "../contract/gate.ts";
import type { Project } from "../contract/project.ts";
import type { Proof } from "../contract/proof.ts";
import type { Report } from "../contract/report.ts";
import type { Run } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import { renderPullRequest, renderReport } from "../publish/render.ts";
import type { PartView } from "../publish/render-parts.ts";
import type { Reader } from "../store/database.ts";
import { gatedRuns, latestProof, latestProvedReport, listRuns, stageReports } from "../store/runs.ts";
import { listTree } from "../store/tasks.ts";

/** Of each part, the newest. */
const RUNS_SHOWN = 12;

/** How a task's result reaches people once it has succeeded: with the newest proof, which an earlier stage than the last may have given. */
export function deliveryOf(reader: Reader, project: Project, task: Task, run: Run): EffectPayload[] {
  const { branch, delivery } = task;
  if (branch === null || delivery === "comment" || delivery === "parent") return [];
  const proof = provedBy(run) ?? latestProof(reader, task.id);
  if (proof === undefined) return [];
  const push: EffectPayload = { kind: "push", branch, commit: proof.headCommit };
  if (delivery === "branch") return [push];
  const report = run.kind === "worker" ? reportOf(run) : (latestProvedReport(reader, task.id) ?? "");
  const evidence = evidenceOf(reader, task, run);
  const rendered = renderPullRequest({ task, run, outcome: { status: "succeeded", proof, report }, ...evidence });
  return [push, { kind: "pull_request", branch, base: project.baseBranch, ...rendered }];
}

/** A comment at the pull request that the task was to look at, with what was concluded of it. */
export function commentOf(reader: Reader, task: Task, report: Report | undefined): EffectPayload[] {
  const { pr = "" } = task.parameters;
  if (report === undefined || !/^[1-9]\d{0,8}$/.test(pr)) return [];
  const { report: written = "" } = stageReports(reader, task.id);
  return [{ kind: "agent_comment", issue: Number(pr), body: renderReport(report, written) }];
}

/** What shows, besides the proof, how a task came to what it is: what its gates saw, and the tasks that it was made of. */
export function evidenceOf(reader: Reader, task: Task, run: Run): { readonly cycle: GateEvidence[]; readonly parts: PartView[] } {
  return { cycle: cycleOf(reader, task, run), parts: partsOf(reader, task) };
}

/** Up to a run, which may be about to end. */
function cycleOf(reader: Reader, task: Task, run: Run): GateEvidence[] {
  const before = gatedRuns(reader, task.id).filter(({ runId }) => runId !== run.id);
  const own = provedBy(run)?.gate;
  return [...before.map(({ gate }) => gate), ...(own ? [own] : [])];
}

/** Each with how it was done. */
function partsOf(reader: Reader, task: Task): PartView[] {
  const others = listTree(reader, task.id).filter(({ depth }) => depth > 0);
  return others.map((part) => ({ task: part.task, runs: listRuns(reader, { taskId: part.task.id, limit: RUNS_SHOWN }).toReversed() }));
}

/** What supervision says is not for the pull request. */
function reportOf({ outcome }: Run): string {
  return outcome?.status === "succeeded" || outcome?.status === "no_change" ? outcome.report : "";
}

function provedBy({ outcome }: Run): Proof | undefined {
  return outcome?.status === "succeeded" ? outcome.proof : undefined;
}
