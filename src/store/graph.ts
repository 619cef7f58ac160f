import type { ProjectId } from "../contract/ids.ts";
import type { TaskGraph } from "../contract/routes.ts";
import type { Reader } from "./database.ts";
import { TASK_COLUMNS, toTask, type TaskRow } from "./task-row.ts";

const OPEN = "status IN ('draft', 'queued', 'running', 'waiting', 'blocked')";

/**
 * The open tasks of a project, or of all, the oldest first and at most `limit`; behind them those that they depend on or are
 * parts of and that are not among them, as many at most.
 */
export function loadGraph(reader: Reader, { projectId, limit }: { projectId?: ProjectId; limit: number }): TaskGraph {
  const of = projectId === undefined ? "" : "AND project_id = :projectId";
  const params = projectId === undefined ? {} : { projectId };
  const open = select(reader, `tasks.sequence IN (SELECT sequence FROM tasks WHERE ${OPEN} ${of} ORDER BY sequence LIMIT :limit)`, {
    ...params,
    limit,
  });
  const count = reader.get<{ count: number }>(`SELECT count(*) AS count FROM tasks WHERE ${OPEN} ${of}`, params)?.count ?? 0;
  const shown = new Set(open.map(({ id }) => id));
  const named = new Set(open.flatMap(({ dependsOn, parentId }) => [...dependsOn, ...(parentId === null ? [] : [parentId])]));
  const others = [...named].filter((id) => !shown.has(id)).slice(0, limit);
  const behind = select(reader, "tasks.id IN (SELECT value FROM json_each(:others))", { others: JSON.stringify(others) });
  return { tasks: [...open, ...behind], omitted: count - open.length };
}

function select(reader: Reader, condition: string, params: Record<string, string | number>): TaskGraph["tasks"] {
  return reader
    .all<TaskRow>(`SELECT ${TASK_COLUMNS} WHERE ${condition} ORDER BY tasks.sequence`, params)
    .map(toTask)
    .map(({ id, key, title, status, reason, dependsOn, parentId }) => ({ id, key, title, status, reason, dependsOn, parentId }));
}
