/** What is wanted of an issue: the change itself, or a plan for it. */
export type TaskMode = "execute" | "plan";

/** The workflow of a mode. */
export function workflowOf(mode: TaskMode): string {
  return mode === "plan" ? "issue-plan" : "issue";
}
