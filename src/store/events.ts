import type { Event, NewEvent } from "../contract/event.ts";
import type { ProjectId, TaskId } from "../contract/ids.ts";
import type { Reader, Transaction } from "./database.ts";

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
export function eventsAfter(
  reader: Reader,
  sequence: number,
  { projectId, taskId, limit }: { projectId?: ProjectId | undefined; taskId?: TaskId | undefined; limit: number },
): Event[] {
  const conditions = ["sequence > :sequence"];
  if (projectId !== undefined) conditions.push("project_id = :projectId");
  if (taskId !== undefined) conditions.push("task_id = :taskId");
  const params = { sequence, limit, ...(projectId !== undefined && { projectId }), ...(taskId !== undefined && { taskId }) };
  return reader.all<EventRow>(`SELECT * FROM events WHERE ${conditions.join(" AND ")} ORDER BY sequence LIMIT :limit`, params).map(toEvent);
}

/** The sequence of the newest event; 0: there is none. */
export function lastSequence(reader: Reader): number {
  return reader.get<{ sequence: number | null }>("SELECT max(sequence) AS sequence FROM events")?.sequence ?? 0;
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
