import type { EffectPayload } from "../../contract/effect.ts";
import type { Task } from "../../contract/task.ts";
import { resolveAlerts } from "../../store/alerts.ts";
import { keepBranch } from "../../store/branches.ts";
import type { Transaction } from "../../store/database.ts";
import { getProject } from "../../store/projects.ts";
import { latestProof } from "../../store/runs.ts";
import type { EngineParts } from "../parts.ts";
import { BASE_CONFLICT } from "./conflict.ts";

/** What a task's end has pushed: from now on that branch follows the base, and waits to be merged. */
export function keepFinished({ settings }: EngineParts, tx: Transaction, task: Task, effects: readonly EffectPayload[]): void {
  const proof = latestProof(tx, task.id);
  if (proof === undefined || !effects.some(({ kind }) => kind === "push")) return;
  const { baseCommit, headCommit } = proof;
  const { autoMerge } = settings.forProject(getProject(tx, task.projectId)).defaults;
  keepBranch(tx, task, { baseCommit, headCommit, isQueued: autoMerge });
  resolveAlerts(tx, BASE_CONFLICT, task.key);
}
