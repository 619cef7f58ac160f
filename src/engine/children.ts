import type { TaskId } from "../contract/ids.ts";
import type { RunOutcome } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import type { Stage } from "../contract/workflow.ts";
import type { Transaction } from "../store/database.ts";
import { addDependencies } from "../store/dependencies.ts";
import { insertTask } from "../store/tasks.ts";
import { readTaskList } from "../workflow/task-list.ts";
import type { EngineParts } from "./parts.ts";

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
  const workflow = parts.workflows.inForce(parent.projectId, stage.children);
  const ids: TaskId[] = [];
  for (const [index, { title, body, after }] of readTaskList(outcome.report).entries()) {
    const { task } = insertTask(tx, {
      projectId: parent.projectId,
      title,
      body,
      source: { kind: "task", key: `${parent.id}:${stage.name}:${parent.epoch}:${index + 1}`, issue: null, url: null, actor: parent.key },
      workflow: workflow.name,
      stage: workflow.workflow.stages[0]?.name ?? "",
      parameters: {},
      delivery: "parent",
      priority: parent.priority,
      deadlineAt: parent.deadlineAt,
      dependsOn: after.map((number) => ids[number - 1] as TaskId),
      parentId: parent.id,
      attemptMax: parent.attemptMax,
      draft: false,
    });
    ids.push(task.id);
  }
  addDependencies(tx, parent.id, ids);
}
