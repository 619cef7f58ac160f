import type { ProjectId, TaskId } from "../contract/ids.ts";
import type { Delivery, Task, TaskSource, TaskStatus } from "../contract/task.ts";
import type { Reader } from "./statements.ts";

/** What `toTask` needs, with where it comes from: `SELECT ${TASK_COLUMNS} WHERE ...`. */
export const TASK_COLUMNS = `tasks.*, projects.name AS project, task_bodies.body,
    (SELECT json_group_array(depends_on_id) FROM task_dependencies WHERE task_id = tasks.id) AS depends_on,
    (SELECT version FROM workflows WHERE workflows.id = tasks.workflow_id) AS workflow_version
  FROM tasks
  CROSS JOIN projects ON projects.id = tasks.project_id
  LEFT JOIN task_bodies ON task_bodies.task_id = tasks.id`;

export interface TaskRow {
  sequence: number;
  id: TaskId;
  project_id: ProjectId;
  project: string;
  number: number;
  source_kind: TaskSource["kind"];
  source_key: string;
  source_issue: number | null;
  source_url: string | null;
  source_actor: string | null;
  workflow: string;
  workflow_version: number | null;
  parameters: string;
  delivery: Delivery;
  status: TaskStatus;
  reason: string | null;
  message: string | null;
  needs: string;
  stage: string;
  priority: number;
  deadline_at: number | null;
  run_after: number;
  attempt: number;
  attempt_max: number;
  iteration: number;
  epoch: number;
  parent_id: TaskId | null;
  branch: string | null;
  pull_number: number | null;
  pull_url: string | null;
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  cost_usd_micros: number | null;
  created_at: number;
  updated_at: number;
  started_at: number | null;
  finished_at: number | null;
  title: string;
  content_hash: string;
  body: string | null;
  depends_on: string;
}

export function toTask(row: TaskRow): Task {
  return {
    id: row.id,
    projectId: row.project_id,
    project: row.project,
    number: row.number,
    key: `${row.project}#${row.number}`,
    title: row.title,
    // A task that another program inserted may have none.
    body: row.body ?? "",
    contentHash: row.content_hash,
    source: toSource(row),
    workflow: row.workflow,
    workflowVersion: row.workflow_version,
    parameters: JSON.parse(row.parameters) as Task["parameters"],
    delivery: row.delivery,
    status: row.status,
    reason: row.reason,
    message: row.message,
    needs: JSON.parse(row.needs) as string[],
    stage: row.stage,
    priority: row.priority,
    deadlineAt: row.deadline_at,
    runAfter: row.run_after,
    attempt: row.attempt,
    attemptMax: row.attempt_max,
    iteration: row.iteration,
    epoch: row.epoch,
    dependsOn: JSON.parse(row.depends_on) as TaskId[],
    parentId: row.parent_id,
    branch: row.branch,
    pullRequest: row.pull_number === null || row.pull_url === null ? null : { number: row.pull_number, url: row.pull_url },
    usage: {
      inputTokens: row.input_tokens,
      outputTokens: row.output_tokens,
      cacheReadTokens: row.cache_read_tokens,
      costUsdMicros: row.cost_usd_micros,
    },
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}

function toSource(row: TaskRow): TaskSource {
  return { kind: row.source_kind, key: row.source_key, issue: row.source_issue, url: row.source_url, actor: row.source_actor };
}

/** What people call it, `api#42`; its id when there is no such task. */
export function taskKey(reader: Reader, id: TaskId): string {
  const row = reader.get<{ key: string }>(
    "SELECT projects.name || '#' || tasks.number AS key FROM tasks JOIN projects ON projects.id = project_id WHERE tasks.id = :id",
    { id },
  );
  return row?.key ?? id;
}
