import type { TaskId } from "../contract/ids.ts";
import type { Project } from "../contract/project.ts";
import type { Proof } from "../contract/proof.ts";
import type { RunOutcome } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import type { Stage } from "../contract/workflow.ts";
import type { Reader, Transaction } from "../store/database.ts";
import { findGathered, saveGathered, type Gathered } from "../store/gathered.ts";
import { latestBase, latestProof } from "../store/runs.ts";
import { stageAfter } from "./workflow-library.ts";
import type { Job } from "./job.ts";
import type { EngineParts } from "./parts.ts";
import { needsApproval } from "./yields.ts";

/** What a child brings into the work of its parent, as worked out from where that stood: null at first. */
export interface Gathering extends Gathered {
  readonly parentId: TaskId;
  readonly from: string | null;
}

/** Where a child's work begins: at what its parent's other children have come to; undefined: it is nobody's child. */
export function parentBase(reader: Reader, { delivery, parentId }: Task): string | undefined {
  if (delivery !== "parent" || parentId === null) return undefined;
  return findGathered(reader, parentId)?.headCommit ?? latestBase(reader, parentId);
}

/**
 * Brings the result of a child that is done into the work of its parent: as it is where nothing else came meanwhile, else merged.
 * Where it can't be merged, the child goes on from there, with the other side in its files.
 */
export async function gatherOutcome(
  parts: EngineParts,
  { task, project, workflow, stage }: Pick<Job, "task" | "project" | "workflow" | "stage">,
  outcome: RunOutcome,
): Promise<{ readonly outcome: RunOutcome; readonly gathering: Gathering | null }> {
  const isLast = stageAfter(workflow, stage.name) === undefined && !needsApproval(stage, outcome);
  const proof = isLast ? provedBy(parts, task, stage, outcome) : undefined;
  if (proof === undefined) return { outcome, gathering: null };
  const gathered = await gather(parts, project, task, proof);
  if (gathered === null || "from" in gathered) return { outcome, gathering: gathered };
  const message = `The work of ${task.key} conflicts with that of another part, in ${gathered.conflicts.slice(0, 10).join(", ")}.`;
  // An agent that only looks can't resolve it.
  const reason = stage.yields === "commit" ? "siblings_conflict" : "base_conflict";
  const report = "report" in outcome ? { report: outcome.report } : {};
  return { outcome: { status: "failed", reason, message, proof, ...report, retryAt: parts.clock.now() }, gathering: null };
}

/** The work of a task as of a run that was good: its own, or that of an earlier stage behind which it only looked. */
function provedBy(parts: EngineParts, task: Task, stage: Stage, outcome: RunOutcome): Proof | undefined {
  if (outcome.status === "succeeded") return outcome.proof;
  return outcome.status === "no_change" && stage.yields !== "commit" ? latestProof(parts.database.reader, task.id) : undefined;
}

/** Null: it is nobody's child. */
export async function gather(
  parts: EngineParts,
  project: Project,
  { key, delivery, parentId }: Task,
  { baseCommit, headCommit }: Proof,
): Promise<Gathering | { readonly conflicts: readonly string[] } | null> {
  if (delivery !== "parent" || parentId === null) return null;
  const before = findGathered(parts.database.reader, parentId);
  if (before === undefined) return { parentId, from: null, baseCommit, headCommit };
  const next = { parentId, from: before.headCommit, baseCommit: before.baseCommit };
  if (before.headCommit === baseCommit) return { ...next, headCommit };
  const merged = await parts.branches.merge(project, before.headCommit, headCommit, `Bring in ${key}\n`);
  return "commit" in merged ? { ...next, headCommit: merged.commit } : merged;
}

/** Notes it, unless another child came first: then it has to be worked out anew. */
export function keepGathering(tx: Transaction, { parentId, from, ...gathered }: Gathering): boolean {
  if ((findGathered(tx, parentId)?.headCommit ?? null) !== from) return false;
  saveGathered(tx, parentId, gathered);
  return true;
}
