import { AppError } from "../../base/errors.ts";
import type { RequestOf } from "../../contract/control.ts";
import type { Task } from "../../contract/task.ts";
import { tellEnded } from "../../publish/ended.ts";
import { listLoopNotes } from "../../store/loop-notes.ts";
import { getProject } from "../../store/projects.ts";
import { endOfIteration } from "../../store/runs.ts";
import { getTask } from "../../store/tasks.ts";
import { refuseOnItsWay, rollBackTask } from "../../store/transitions.ts";
import { approve, deny, gatherForApproval } from "../approval.ts";
import { audited, requireTask, type ControlParts, type Verbs } from "./scope.ts";

type Names = "approveTask" | "denyTask" | "listTaskNotes" | "rollBackTask";

/** The stages of a task's workflow: a person's word on what one came to, and the loop that one may be. */
export function taskStageVerbs(parts: ControlParts): Verbs<Names> {
  const { reader } = parts.database;

  return {
    async approveTask({ params, actor }) {
      const task = requireTask(reader, params.task);
      const gathering = await gatherForApproval(parts, task);
      return audited(parts, { actor, action: "task.approve", subject: task.key }, (tx) =>
        approve(parts, tx, getTask(tx, task.id), gathering),
      );
    },

    denyTask({ params, body, actor }) {
      const { id, key } = requireTask(reader, params.task);
      return audited(parts, { actor, action: "task.deny", subject: key, detail: { ...body } }, (tx) => {
        const task = deny(tx, getTask(tx, id), actor, body.message);
        tellEnded(tx, [id]);
        return task;
      });
    },

    listTaskNotes({ params, query }) {
      const task = requireTask(reader, params.task);
      return { items: listLoopNotes(reader, task.id, query.stage ?? task.stage) };
    },

    rollBackTask: (request) => rollBack(parts, request),
  };
}

/** The work is set back first: if that fails, or the daemon dies in between, the task is as it was and its work is saved. */
async function rollBack(parts: ControlParts, { params, body, actor }: RequestOf<"rollBackTask">): Promise<Task> {
  const { reader } = parts.database;
  const task = requireTask(reader, params.task);
  refuseOnItsWay(task.key, task.status);
  const end = endOfIteration(reader, task.id, task.stage, body.iteration);
  if (end === undefined) throw new AppError("not_found", `The stage ${task.stage} of ${task.key} has had no iteration ${body.iteration}.`);
  const project = getProject(reader, task.projectId);
  const checkpoint = (await parts.workspaces.checkpoints(project, task)).findLast(({ at }) => at <= end);
  if (!checkpoint) throw new AppError("not_found", `Nothing was saved of iteration ${body.iteration} of ${task.key}.`);
  await parts.workspaces.rewind(project, task, checkpoint.index, parts.clock.now());
  const detail = { ...body, checkpoint: checkpoint.index };
  return audited(parts, { actor, action: "task.rollback", subject: task.key, detail }, (tx) =>
    rollBackTask(tx, task.id, body.iteration, actor),
  );
}
