import type { Event, NewEvent } from "../contract/event.ts";
import type { ProjectId, TaskId } from "../contract/ids.ts";
import type { Reader, Transaction } from "./database.ts";
import type { Params } from "./statements.ts";

export interface EventFilter {
  readonly projectId?: ProjectId | undefined;
  readonly taskId?: TaskId | undefined;
  readonly limit: number;
}

/** Appends a fact and returns its sequence. Sequences have no gaps: what is rolled back gives its number back. */
export function appendEvent(tx: Transaction, event: NewEvent): number {
  const { lastRow } = tx.run(
    `INSERT INTO events (at, type, project_id, task_id, run_id, data)
     VALUES (:at, :type, :projectId, :taskId, :runId, :data)`,
    {
      at: tx.now,
      type: event.type,
      projectId: event.projectId ?? null,
      taskId: event.taskId ?? null,
      runId: event.runId ?? null,
      data: JSON.stringify(event.data),
    },
  );
  return lastRow;
}

/** The events behind `sequence`, in their order, at most `limit`. */
export function eventsAfter(reader: Reader, sequence: number, { projectId, taskId, limit }: EventFilter): Event[] {
  const { where, params } = select({ projectId, taskId });
  return reader
    .all<EventRow>(`SELECT * FROM events WHERE sequence > :sequence AND ${where} ORDER BY sequence LIMIT :limit`, {
      ...params,
      sequence,
      limit,
    })
    .map(toEvent);
}

/** The newest events of one project or task, or of all, in their order. */
export function latestEvents(reader: Reader, { projectId, taskId, limit }: EventFilter): Event[] {
  const { where, params } = select({ projectId, taskId });
  return reader
    .all<EventRow>(`SELECT * FROM events WHERE ${where} ORDER BY sequence DESC LIMIT :limit`, { ...params, limit })
    .map(toEvent)
    .toReversed();
}

/** The sequence of the newest event; 0: there is none. */
export function lastSequence(reader: Reader): number {
  return reader.get<{ sequence: number | null }>("SELECT max(sequence) AS sequence FROM events")?.sequence ?? 0;
}

function select({ projectId, taskId }: Omit<EventFilter, "limit">): { where: string; params: Params } {
  const params = { ...(projectId !== undefined && { projectId }), ...(taskId !== undefined && { taskId }) };
  const conditions = [
    ...(projectId === undefined ? [] : ["project_id = :projectId"]),
    ...(taskId === undefined ? [] : ["task_id = :taskId"]),
  ];
  return { where: conditions.join(" AND ") || "TRUE", params };
}

interface EventRow {
  sequence: number;
  at: number;
  type: string;
  project_id: string | null;
  task_id: string | null;
  run_id: string | null;
  data: string;
}

function toEvent(row: EventRow): Event {
  const { sequence, at, type } = row;
  const data: unknown = JSON.parse(row.data);
  return { sequence, at, type, projectId: row.project_id, taskId: row.task_id, runId: row.run_id, data } as Event;
}

/** The projects whose queue or settings any event after `sequence` tells a change of, and the sequence of the latest event. */
export function changedProjects(reader: Reader, sequence: number): { projectIds: ProjectId[]; sequence: number } {
  const rows = reader.all<{ project_id: ProjectId }>(
    // The plus keeps SQLite from walking the whole index by project for the sake of DISTINCT.
    "SELECT DISTINCT +project_id AS project_id FROM events WHERE sequence > :sequence AND (type LIKE 'task.%' OR type LIKE 'project.%')",
    { sequence },
  );
  return { projectIds: rows.map((row) => row.project_id), sequence: lastSequence(reader) };
}
