import type { NewTask } from "../contract/task.ts";

/** What is wanted of a task: the change itself, or a plan for it. */
export type TaskMode = "execute" | "plan";

/** The workflow of a mode and its first stage. */
export function wayOf(mode: TaskMode): Pick<NewTask, "workflow" | "stage"> {
  return mode === "plan" ? { workflow: "issue-plan", stage: "plan" } : { workflow: "issue", stage: "implement" };
}
