import { randomUUID } from "node:crypto";
import { AppError } from "../../base/errors.ts";
import type { RequestOf } from "../../contract/control.ts";
import type { FiledTask } from "../../contract/routes.ts";
import type { Task } from "../../contract/task.ts";
import { tellEnded } from "../../publish/ended.ts";
import { appendAudit } from "../../store/audit.ts";
import { listEffects } from "../../store/effects.ts";
import { getProject } from "../../store/projects.ts";
import { listRuns } from "../../store/runs.ts";
import { getTask, insertTask, listTasks } from "../../store/tasks.ts";
import { endCoolDowns } from "../../store/circuits.ts";
import { requestCancel, retryTask, setTaskPriority } from "../../store/transitions.ts";
import { inForceNow } from "../workflow-library.ts";
import { refuseUnwatchable } from "../supervision/watched.ts";
import { workflowOf } from "../../domain/task-mode.ts";
import { parametersOf } from "../../domain/workflow-parameters.ts";
import { audited, requireProject, requireTask, type ControlParts, type Verbs } from "./scope.ts";

type Names = "listTasks" | "createTask" | "getTask" | "changeTask" | "cancelTask" | "retryTask" | "getTaskDiff" | "restoreTask";

/** Tasks: filing them, looking at them, and what a person may do with them. */
export function taskVerbs(parts: ControlParts): Verbs<Names> {
  const { reader } = parts.database;
  const projectOf = (task: Task) => getProject(reader, task.projectId);

  return {
    listTasks({ query }) {
      const { project, ...filter } = query;
      const items = listTasks(reader, {
        ...defined(filter),
        limit: query.limit,
        ...(project === undefined ? {} : { projectId: requireProject(reader, project).id }),
      });
      return { items, next: items.length === query.limit ? (items.at(-1)?.id ?? null) : null };
    },

    createTask: (request) => fileTask(parts, request),

    async getTask({ params }) {
      const task = requireTask(reader, params.task);
      return {
        ...task,
        hold: parts.engine.dispatcher.holdOf(task) ?? null,
        runs: listRuns(reader, { taskId: task.id, limit: 100 }),
        effects: listEffects(reader, task.id),
        checkpoints: await parts.workspaces.checkpoints(projectOf(task), task),
      };
    },

    changeTask({ params, body, actor }) {
      const { id, key } = requireTask(reader, params.task);
      return audited(parts, { actor, action: "task.change", subject: key, detail: { ...body } }, (tx) =>
        setTaskPriority(tx, id, body.priority, actor),
      );
    },

    cancelTask({ params, actor }) {
      const { id, key } = requireTask(reader, params.task);
      return audited(parts, { actor, action: "task.cancel", subject: key }, (tx) => {
        const task = requestCancel(tx, id, { by: "user", actor, message: `Cancelled by ${actor}.` });
        tellEnded(tx, [id]);
        return task;
      });
    },

    retryTask({ params, actor }) {
      const { id, key } = requireTask(reader, params.task);
      return audited(parts, { actor, action: "task.retry", subject: key }, (tx) => {
        endCoolDowns(tx);
        const { projectId, workflow } = getTask(tx, id);
        return retryTask(tx, id, inForceNow(parts, projectId, workflow));
      });
    },

    getTaskDiff({ params, query }) {
      const task = requireTask(reader, params.task);
      return parts.workspaces.diff(projectOf(task), task, query.checkpoint ?? null);
    },

    async restoreTask({ params, body, actor }) {
      const task = requireTask(reader, params.task);
      const restored = await parts.workspaces.restore(projectOf(task), task, body.checkpoint ?? null, body.to);
      await audited(parts, { actor, action: "task.restore", subject: task.key, detail: { ...restored } }, () => undefined);
      return restored;
    },
  };
}

async function fileTask(parts: ControlParts, { body, actor }: RequestOf<"createTask">): Promise<FiledTask> {
  const { reader } = parts.database;
  const project = requireProject(reader, body.project);
  const { defaults } = parts.settings.forProject(project);
  const plans = body.mode === "plan";
  const stored = parts.workflows.inForce(project.id, body.workflow ?? workflowOf(body.mode));
  const { workflow } = stored;
  if (workflow.stages.some(({ pass }) => pass !== null))
    throw new AppError("invalid", `The workflow ${workflow.name} takes a PRD and no words. File one with: drover prd run FILE`);
  const parameters = parametersOf(workflow, body.parameters);
  refuseUnwatchable(parts, reader, { projectId: project.id, parameters }, stored);
  const key = body.idempotencyKey ?? randomUUID();
  return parts.database.write((tx) => {
    const { task, created } = insertTask(
      tx,
      {
        projectId: project.id,
        title: body.title,
        body: body.body,
        source: { kind: actor.startsWith("cli") ? "cli" : "api", key, issue: null, url: null, actor },
        workflow: workflow.name,
        stage: workflow.stages[0]?.name ?? "",
        parameters,
        delivery: plans ? "comment" : (body.delivery ?? defaults.delivery),
        priority: body.priority ?? defaults.priority,
        deadlineAt: body.deadlineAt ?? null,
        dependsOn: body.dependsOn.map((each) => requireTask(tx, each).id),
        parentId: null,
        attemptMax: defaults.retryAttempts,
        needs: requirePools(parts, body.needs),
        draft: body.draft,
      },
      { queued: parts.settings.current().daemon.queueMax },
    );
    if (created) appendAudit(tx, { actor, action: "task.create", subject: project.name, detail: { title: body.title, key } });
    return { ...task, created };
  });
}

/** Throws `invalid` for pools that nobody has configured: the task would wait for ever. */
function requirePools({ settings }: Pick<ControlParts, "settings">, needs: readonly string[]): string[] {
  const { pools } = settings.current();
  const unknown = needs.find((name) => !Object.hasOwn(pools, name));
  if (unknown === undefined) return [...needs];
  const known = Object.keys(pools).join(", ") || "none";
  throw new AppError("invalid", `There is no pool ${unknown}. The configuration (pools) has: ${known}.`);
}

function defined<Fields extends object>(fields: Fields): { [Key in keyof Fields]: Exclude<Fields[Key], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Fields]: Exclude<Fields[Key], undefined>;
  };
}
