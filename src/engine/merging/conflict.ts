import { safeLine } from "../../base/text.ts";
import type { Branch } from "../../contract/branch.ts";
import { raiseAlert } from "../../store/alerts.ts";
import { reopenTask, settleBranch } from "../../store/branches.ts";
import { getTask } from "../../store/tasks.ts";
import type { Scene } from "./scene.ts";

/** The alert, and the reason of a task, when work does not fit the base any more. */
export const BASE_CONFLICT = "base_conflict";

const NAMED_MAX = 10;
/** What an agent is told of checks that fail, characters. */
const NOTE_MAX = 20_000;

/** Why a branch does not fit: files in conflict, or checks that pass on the base and not with it. */
type Misfit = { readonly conflicts: readonly string[] } | { readonly failure: string };

/**
 * Gives a finished branch that no longer fits the base back to whom the project names: its task is worked on again at once, or
 * waits for a person. Its next workspace holds the work on the new base. Until then all is as it was: nothing half merged anywhere.
 */
export async function giveBack(scene: Scene, branch: Branch, base: string, misfit: Misfit): Promise<void> {
  const { parts, project, config } = scene;
  const { onConflict } = config.defaults;
  const { projectId, taskId, taskKey } = branch;
  const what = describeMisfit(taskKey, misfit);
  const message = onConflict === "person" ? `${what} ${whatToType(branch, project.baseBranch)}` : what;
  if (onConflict !== "ignore") {
    const note = "failure" in misfit ? misfit.failure.slice(0, NOTE_MAX) : null;
    // First: should we die in between, the branch is still open, and this is done again.
    await parts.branches.prepare(project, getTask(parts.database.reader, taskId), branch, { onto: base, note });
  }
  await parts.database.write((tx) => {
    const status = onConflict === "agent" ? "queued" : "blocked";
    const isOurs =
      onConflict === "ignore" ? settleBranch(tx, branch, "left", what) : reopenTask(tx, branch, { status, reason: BASE_CONFLICT, message });
    if (isOurs) raiseAlert(tx, { kind: BASE_CONFLICT, subject: taskKey, message, projectId, taskId });
  });
  parts.log.info("a branch no longer fits the base", { taskId, onConflict });
}

export function describeConflict(taskKey: string, conflicts: readonly string[]): string {
  const rest = conflicts.length > NAMED_MAX ? ` and ${conflicts.length - NAMED_MAX} more` : "";
  return `The work of ${taskKey} conflicts with the newest base in ${safeLine(conflicts.slice(0, NAMED_MAX).join(", "), 1000)}${rest}.`;
}

function describeMisfit(taskKey: string, misfit: Misfit): string {
  if ("conflicts" in misfit) return describeConflict(taskKey, misfit.conflicts);
  return `The work of ${taskKey} fits the newest base, but together they fail where the base alone does not: ${misfit.failure.split("\n", 1)[0] ?? ""}.`;
}

function whatToType({ name, taskKey }: Branch, baseBranch: string): string {
  return `Let its agent resolve it: drover task retry ${taskKey}. Or do it yourself: git fetch && git switch ${name} && git rebase origin/${baseBranch}, push it, and then: drover task cancel ${taskKey}`;
}
