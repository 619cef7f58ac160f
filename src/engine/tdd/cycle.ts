import type { Proof } from "../../contract/proof.ts";
import type { RunOutcome } from "../../contract/run.ts";
import { gatedRuns, hasBegunAt, type GatedRun } from "../../store/runs.ts";
import type { Job } from "../job.ts";
import type { EngineParts } from "../parts.ts";

/** What gates accepted of the stages before the job's, the oldest first: the newest of each. */
export function acceptedBefore({ database }: Pick<EngineParts, "database">, { task, workflow, stage }: Job): GatedRun[] {
  const before = workflow.stages.slice(0, workflow.stages.indexOf(stage)).filter(({ gate }) => gate !== null);
  const runs = gatedRuns(database.reader, task.id).filter(({ gate }) => gate.accepted);
  return before.flatMap(({ name }) => runs.findLast((run) => run.stage === name) ?? []);
}

/**
 * Where a stage with a gate begins: at the commit that the gate before it accepted, on the same base; undefined: wherever other
 * stages begin. Refactoring begins there each time, so what was refused of it is undone; all that was in the workspace is saved first. A
 * stage that was accepted once is begun again only because its work no longer fits the base, and goes on from there.
 */
export async function beginCycleStage(parts: EngineParts, job: Job): Promise<string | undefined> {
  const { task, stage } = job;
  const start = acceptedBefore(parts, job).at(-1);
  const isOver = gatedRuns(parts.database.reader, task.id).some((run) => run.stage === stage.name && run.gate.accepted);
  if (stage.gate === null || start === undefined || isOver) return undefined;
  if (stage.gate === "refactor" || !hasBegunAt(parts.database.reader, task.id, stage.name)) await goBackTo(parts, job, start);
  return start.baseCommit;
}

async function goBackTo({ workspaces, branches, clock }: EngineParts, { project, task, log }: Job, accepted: GatedRun): Promise<void> {
  const now = await workspaces.checkpoint(project, task, "stage_begins", clock.now());
  if (now !== null && (await branches.isSameTree(project, now.commit, accepted.headCommit))) return;
  log.info("a stage begins at the commit that the gate accepted; what else was in its workspace is saved", { commit: accepted.headCommit });
  await workspaces.remove(project, task, clock.now());
  await branches.prepare(project, task, accepted, { onto: accepted.baseCommit, note: null });
}

/** Refactoring that was refused for the last time is left out: the task goes on with what was accepted before it. */
export function withoutRefactoring(accepted: GatedRun, refused: Proof, message: string): RunOutcome {
  const { baseCommit, headCommit } = accepted;
  const { gate, changes } = refused;
  const proof = { baseCommit, headCommit, changes, checks: [], ...(gate && { gate }) };
  return { status: "succeeded", proof, report: `The refactoring was undone: ${message}` };
}
