import { AppError } from "../../base/errors.ts";
import type { ProjectId } from "../../contract/ids.ts";
import type { Project } from "../../contract/project.ts";
import type { Task } from "../../contract/task.ts";
import type { Stage } from "../../contract/workflow.ts";
import type { Reader } from "../../store/database.ts";
import { getProject } from "../../store/projects.ts";
import { findTask } from "../../store/tasks.ts";
import { findWorkflow, workflowIdOf, type StoredWorkflow } from "../../store/workflows.ts";
import type { EngineParts } from "../parts.ts";

/** What a run looks at, and may do something about. */
export type Watched =
  | { readonly scope: "task"; readonly task: Task }
  | { readonly scope: "project"; readonly project: Project }
  | { readonly scope: "system" };

/** What decides what a task watches. */
type Watching = Pick<Task, "projectId" | "parameters">;

/** What a stage of a task looks at: its own task, unless it watches something. */
export function watchedAt(
  parts: Pick<EngineParts, "workflows">,
  reader: Reader,
  task: Task,
  { material }: Pick<Stage, "material">,
): Watched {
  return material === "watched" ? watchedBy(parts, reader, task, ownerOf(reader, task)) : { scope: "task", task };
}

/**
 * Refuses a task whose parameters do not say what its stages are to look at. Throws `invalid` and `not_found`.
 * @param workflow the one that it would begin with.
 */
export function refuseUnwatchable(
  parts: Pick<EngineParts, "workflows">,
  reader: Reader,
  watching: Watching,
  workflow: StoredWorkflow,
): void {
  const materials = workflow.workflow.stages.map(({ material }) => material);
  if (materials.includes("watched")) watchedBy(parts, reader, watching, workflow.projectId);
  if (materials.includes("change")) changeNamed(watching);
}

/** The pull request or branch that a task is to look at. Throws `invalid` when it names none, or both. */
export function changeNamed({ parameters }: Pick<Task, "parameters">): { readonly pull: number } | { readonly branch: string } {
  const { pr = "", branch = "" } = parameters;
  if ((pr === "") === (branch === "")) throw new AppError("invalid", "Say what is to be looked at: pr=NUMBER, or branch=NAME.");
  if (branch !== "") return { branch };
  if (/^[1-9]\d{0,8}$/.test(pr)) return { pull: Number(pr) };
  throw new AppError("invalid", `pr is ${JSON.stringify(pr)}, which is no number of a pull request.`);
}

/** Whether all that its agents do is to look at the work of others: such a task is watched by nobody. */
export function isSupervisory({ workflows }: Pick<EngineParts, "workflows">, task: Task, reader: Reader): boolean {
  try {
    return workflows.of(task, reader).stages.every(({ kind }) => kind !== "worker");
  } catch {
    // Its workflow is gone, and with it the only thing that could make it one.
    return false;
  }
}

function watchedBy(
  parts: Pick<EngineParts, "workflows">,
  reader: Reader,
  { projectId, parameters }: Watching,
  owner: ProjectId | null,
): Watched {
  switch (parameters["scope"]) {
    case "task":
      return { scope: "task", task: watchedTask(parts, reader, projectId, parameters["task"] ?? "") };
    case "project":
      return { scope: "project", project: getProject(reader, projectId) };
    case "system":
      if (owner === null) return { scope: "system" };
      throw new AppError("invalid", "Only a workflow of Drover's home may look at all projects, not one of a project's own files.");
    default:
      throw new AppError("invalid", "Say what is to be looked at: scope=task, scope=project or scope=system.");
  }
}

function watchedTask(parts: Pick<EngineParts, "workflows">, reader: Reader, projectId: ProjectId, key: string): Task {
  const task = findTask(reader, key);
  if (!task) throw new AppError("not_found", `There is no task ${JSON.stringify(key)} to look at. List them with: drover task list`);
  if (task.projectId !== projectId)
    throw new AppError("invalid", `${task.key} is of another project: an agent may look at a task of its own project only.`);
  if (isSupervisory(parts, task, reader))
    throw new AppError("invalid", `${task.key} is supervision itself, which nobody supervises. Read its report: drover report list`);
  return task;
}

/** The project in whose own files a task's workflow is; null: it holds for all. */
function ownerOf(reader: Reader, { id }: Task): ProjectId | null {
  const version = workflowIdOf(reader, id);
  return (version === null ? undefined : findWorkflow(reader, version))?.projectId ?? null;
}
