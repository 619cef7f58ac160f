import type { ProjectId } from "../contract/ids.ts";
import type { PastTask } from "../domain/estimate.ts";
import type { Reader } from "./database.ts";

/** The newest ended tasks that are looked at, of all workflows. */
const LOOKED_AT = 500;

/** What the newest tasks of a workflow that succeeded took, of a project or of all. */
export function listPastTasks(reader: Reader, workflow: string, projectId?: ProjectId): PastTask[] {
  return reader.all<PastTask>(
    `SELECT sum(runs.cost_usd_micros) AS costUsdMicros, sum(runs.finished_at - runs.started_at) AS durationMs FROM (
       SELECT id, workflow, status FROM tasks WHERE finished_at IS NOT NULL ${projectId === undefined ? "" : "AND project_id = :projectId"}
       ORDER BY finished_at DESC LIMIT ${LOOKED_AT}
     ) AS ended JOIN runs ON runs.task_id = ended.id
     WHERE ended.workflow = :workflow AND ended.status = 'succeeded' GROUP BY ended.id`,
    { workflow, ...(projectId !== undefined && { projectId }) },
  );
}
