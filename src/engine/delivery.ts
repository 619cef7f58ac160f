import type { EffectPayload } from "../contract/effect.ts";
import type { GateEvidence } from "../contract/gate.ts";
import type { Project } from "../contract/project.ts";
import type { Proof } from "../contract/proof.ts";
import type { Run } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import { renderPullRequest } from "../publish/render.ts";
import type { Reader } from "../store/database.ts";
import { gatedRuns, latestProof } from "../store/runs.ts";

/** How a task's result reaches people once it has succeeded: with the newest proof, which an earlier stage than the last may have given. */
export function deliveryOf(reader: Reader, project: Project, task: Task, run: Run): EffectPayload[] {
  const { branch, delivery } = task;
  if (branch === null || delivery === "comment" || delivery === "parent") return [];
  const proof = provedBy(run) ?? latestProof(reader, task.id);
  if (proof === undefined) return [];
  const push: EffectPayload = { kind: "push", branch, commit: proof.headCommit };
  if (delivery === "branch") return [push];
  const { outcome } = run;
  const report = outcome?.status === "succeeded" || outcome?.status === "no_change" ? outcome.report : "";
  const cycle = cycleOf(reader, task, run);
  const rendered = renderPullRequest({ task, run, outcome: { status: "succeeded", proof, report }, cycle });
  return [push, { kind: "pull_request", branch, base: project.baseBranch, ...rendered }];
}

/** What the gates of a task saw up to a run, which may be about to end. */
export function cycleOf(reader: Reader, task: Task, run: Run): GateEvidence[] {
  const before = gatedRuns(reader, task.id).filter(({ runId }) => runId !== run.id);
  const own = provedBy(run)?.gate;
  return [...before.map(({ gate }) => gate), ...(own ? [own] : [])];
}

function provedBy({ outcome }: Run): Proof | undefined {
  return outcome?.status === "succeeded" ? outcome.proof : undefined;
}
