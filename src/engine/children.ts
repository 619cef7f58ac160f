import type { TaskId } from "../contract/ids.ts";
import type { RunOutcome } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import type { Stage, Workflow } from "../contract/workflow.ts";
import { parametersOf } from "../domain/workflow-parameters.ts";
import type { Reader, Transaction } from "../store/database.ts";
import { addDependencies } from "../store/dependencies.ts";
import { insertTask } from "../store/tasks.ts";
import { readTaskList } from "../workflow/task-list.ts";
import type { EngineParts } from "./parts.ts";
import { childrenOfPasses, type PrdChild } from "./passes.ts";

/**
 * Refuses a workflow that the children of a stage can't get: one that is not there, or that wants a value which nobody gives. Asked
 * while the run can still fail for it: where the tasks are filed it would keep the run from ending.
 */
export function refuseUnfit(
  { workflows }: Pick<EngineParts, "workflows">,
  { projectId }: Pick<Task, "projectId">,
  { children }: Stage,
): void {
  if (children !== null) parametersFor(workflows.inForce(projectId, children).workflow, "");
}

/**
 * Files the tasks that a stage yielded, as children that its task waits for. What they come to goes into the work of their
 * parent. Filing them again for the same run makes none twice.
 */
export function fileChildren(
  parts: Pick<EngineParts, "workflows">,
  tx: Transaction,
  parent: Task,
  stage: Stage,
  outcome: RunOutcome,
): void {
  if (stage.yields !== "tasks" || stage.children === null || outcome.status !== "no_change") return;
  const { name, workflow } = parts.workflows.inForce(parent.projectId, stage.children);
  const ids: TaskId[] = [];
  for (const [index, child] of listedChildren(tx, parent, stage, outcome.report).entries()) {
    const { task } = insertTask(tx, {
      projectId: parent.projectId,
      title: child.title,
      body: bodyFor(workflow, child),
      source: { kind: "task", key: `${parent.id}:${stage.name}:${parent.epoch}:${index + 1}`, issue: null, url: null, actor: parent.key },
      workflow: name,
      stage: workflow.stages[0]?.name ?? "",
      parameters: parametersFor(workflow, child.acceptance),
      delivery: "parent",
      priority: parent.priority,
      deadlineAt: parent.deadlineAt,
      dependsOn: child.after.map((number) => ids[number - 1] as TaskId),
      parentId: parent.id,
      attemptMax: parent.attemptMax,
      draft: false,
    });
    ids.push(task.id);
  }
  addDependencies(tx, parent.id, ids);
}

/** From the passes of a decomposition, which a person may have changed since, or from what the agent listed. */
function listedChildren(reader: Reader, parent: Task, { pass }: Stage, report: string): PrdChild[] {
  return pass === null ? readTaskList(report).map((one) => ({ ...one, acceptance: "" })) : childrenOfPasses(reader, parent);
}

/** The parameter of a workflow that takes the acceptance tests of a task. */
const ACCEPTANCE = "acceptance";

function parametersFor(workflow: Workflow, acceptance: string): Record<string, string> {
  return parametersOf(workflow, takesAcceptance(workflow) ? { [ACCEPTANCE]: acceptance } : {});
}

/** With the acceptance tests, where its workflow has no place of their own for them. */
function bodyFor(workflow: Workflow, { body, acceptance }: PrdChild): string {
  return acceptance === "" || takesAcceptance(workflow) ? body : `${body}\n\nIt is done when these hold:\n\n${acceptance}`;
}

function takesAcceptance({ parameters }: Workflow): boolean {
  return Object.hasOwn(parameters, ACCEPTANCE);
}
