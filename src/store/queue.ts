import type { ProjectId, TaskId } from "../contract/ids.ts";
import type { Lane } from "../domain/gates.ts";
import type { Candidate, ProjectShare } from "../domain/schedule.ts";
import type { Reader } from "./database.ts";

/** A lane of a project's queue with its first due tasks. */
export interface DueLane {
  readonly lane: Lane;
  readonly heads: readonly Candidate[];
}

/** A project with due work, in lanes: which of them may start is for the caller to see. */
export type DueProject = Omit<ProjectShare, "heads"> & { readonly lanes: readonly DueLane[] };

/**
 * The enabled projects that have queued tasks which are due, each with the first task of each of its lanes by priority, by
 * deadline and by age. `runningMax` is unlimited here: the limit is a setting, which the caller puts in. Costs the same
 * however many tasks there are, but for the queued ones of a project that are not due yet.
 */
export function loadShares(reader: Reader, now: number, projectIds?: readonly ProjectId[]): DueProject[] {
  const rows = projectIds === undefined ? allShares(reader) : projectIds.flatMap((projectId) => shareOf(reader, projectId));
  return rows.flatMap((row) => {
    const lanes = listDue(reader, row.id, now, 1);
    return lanes.length === 0 ? [] : [toShare(row, lanes)];
  });
}

/** When the next of the queued tasks that are not due yet will be; undefined: there is none. */
export function nextDueAt(reader: Reader, now: number): number | undefined {
  const row = reader.get<{ run_after: number }>(
    "SELECT run_after FROM tasks INDEXED BY queue_by_due_time WHERE status = 'queued' AND run_after > :now ORDER BY run_after LIMIT 1",
    { now },
  );
  return row?.run_after;
}

/** How many tasks run, in all and of each project that has any. */
export function countRunning(reader: Reader): { total: number; byProject: Map<ProjectId, number> } {
  const rows = reader.all<{ project_id: ProjectId; count: number }>(
    "SELECT project_id, count FROM task_counts WHERE status = 'running' AND count > 0",
  );
  const byProject = new Map(rows.map((row) => [row.project_id, row.count]));
  return { total: rows.reduce((sum, row) => sum + row.count, 0), byProject };
}

/** How many tasks of one workflow of a project run. */
export function countRunningOf(reader: Reader, projectId: ProjectId, workflow: string): number {
  const row = reader.get<{ count: number }>(
    "SELECT count(*) AS count FROM tasks INDEXED BY tasks_by_project_and_status WHERE project_id = :projectId AND status = 'running' AND workflow = :workflow",
    { projectId, workflow },
  );
  return row?.count ?? 0;
}

/** The virtual time of the latest start of all projects, unregistered ones too: it never goes back. */
export function latestVirtualTime(reader: Reader): number {
  return reader.get<{ latest: number | null }>("SELECT max(virtual_time) AS latest FROM projects")?.latest ?? 0;
}

/** The first due tasks of each lane of a project's queue by priority, by deadline and by age: at most `limit` by each, distinct, in any order. */
export function listDue(reader: Reader, projectId: ProjectId, now: number, limit: number): DueLane[] {
  return lanesOf(reader, projectId).flatMap((row) => {
    const params = { projectId, lane: row.lane, now, limit };
    const tasks = [
      reader.all<CandidateRow>(`${CANDIDATE} ORDER BY priority DESC, sequence LIMIT :limit`, params),
      reader.all<CandidateRow>(
        `${CANDIDATE} AND deadline_at IS NOT NULL ORDER BY deadline_at, priority DESC, sequence LIMIT :limit`,
        params,
      ),
      reader.all<CandidateRow>(`${CANDIDATE} ORDER BY queued_at, sequence LIMIT :limit`, params),
    ].flat();
    const heads = [...new Map(tasks.map((task) => [task.id, toCandidate(task)])).values()];
    return heads.length === 0 ? [] : [{ lane: toLane(row), heads }];
  });
}

/** The lanes that have queued tasks, one look at the index each. */
function lanesOf(reader: Reader, projectId: ProjectId): LaneRow[] {
  const lanes: LaneRow[] = [];
  for (let lane = ""; ;) {
    const next = reader.get<LaneRow>(
      `SELECT ${LANE} FROM tasks INDEXED BY queue_by_age
       WHERE project_id = :projectId AND status = 'queued' AND lane > :lane ORDER BY lane LIMIT 1`,
      { projectId, lane },
    );
    if (next === undefined) return lanes;
    lanes.push(next);
    lane = next.lane;
  }
}

/** The lane that a task is in while it is queued. */
export function laneOfTask(reader: Reader, taskId: TaskId): Lane | undefined {
  const row = reader.get<LaneRow>(`SELECT ${LANE} FROM tasks WHERE id = :taskId`, { taskId });
  return row && toLane(row);
}

/** The projects with queued tasks that came due after `from`, up to `to`. */
export function dueProjects(reader: Reader, from: number, to: number): ProjectId[] {
  const rows = reader.all<{ project_id: ProjectId }>(
    "SELECT DISTINCT project_id FROM tasks INDEXED BY queue_by_due_time WHERE status = 'queued' AND run_after > :from AND run_after <= :to",
    { from, to },
  );
  return rows.map((row) => row.project_id);
}

const SHARE = `SELECT projects.id, priority, weight, virtual_time, running.count AS running
  FROM task_counts AS queued
  CROSS JOIN projects ON projects.id = queued.project_id AND enabled = 1 AND unregistered_at IS NULL
  CROSS JOIN task_counts AS running ON running.status = 'running' AND running.project_id = queued.project_id
  WHERE queued.status = 'queued' AND queued.count > 0`;

function allShares(reader: Reader): ShareRow[] {
  return reader.all<ShareRow>(SHARE);
}

function shareOf(reader: Reader, projectId: ProjectId): ShareRow[] {
  return reader.all<ShareRow>(`${SHARE} AND queued.project_id = :projectId`, { projectId });
}

const CANDIDATE = `SELECT id, project_id, priority, deadline_at, queued_at, sequence FROM tasks
  WHERE project_id = :projectId AND lane = :lane AND status = 'queued' AND run_after <= :now`;

const LANE = "lane, workflow, workflow_id, stage, session_agent, needs";

interface LaneRow {
  lane: string;
  workflow: string;
  workflow_id: number | null;
  stage: string;
  session_agent: string;
  needs: string;
}

function toLane(row: LaneRow): Lane {
  const { workflow, stage } = row;
  return {
    workflow,
    workflowId: row.workflow_id,
    stage,
    sessionAgent: row.session_agent || null,
    needs: JSON.parse(row.needs) as string[],
  };
}

interface ShareRow {
  id: ProjectId;
  priority: number;
  weight: number;
  virtual_time: number;
  running: number;
}

function toShare(row: ShareRow, lanes: DueLane[]): DueProject {
  const { id, priority, weight, running } = row;
  return { projectId: id, priority, weight, virtualTime: row.virtual_time, running, runningMax: Infinity, lanes };
}

interface CandidateRow {
  id: TaskId;
  project_id: ProjectId;
  priority: number;
  deadline_at: number | null;
  queued_at: number;
  sequence: number;
}

function toCandidate(row: CandidateRow): Candidate {
  const { id, priority, sequence } = row;
  return { taskId: id, projectId: row.project_id, priority, deadlineAt: row.deadline_at, queuedAt: row.queued_at, sequence };
}
