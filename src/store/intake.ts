import type { ProjectId, TaskId } from "../contract/ids.ts";
import type { Reader, Transaction } from "./database.ts";

/** What we know of an issue: as it was when we last looked, and the task that came of it. */
export interface IssueState {
  readonly projectId: ProjectId;
  readonly issue: number;
  readonly contentHash: string;
  /** The newest task made from it; null: none. */
  readonly taskId: TaskId | null;
  /** How many further tasks were made from it after the first. */
  readonly followUps: number;
  readonly open: boolean;
  /** The issue's own time of change. */
  readonly updatedAt: number;
}

const DELIVERIES_KEPT = 10_000;

/** Where the forge's next poll of a project begins; null: it was never polled. */
export function issueCursor(reader: Reader, projectId: ProjectId): string | null {
  const row = reader.get<{ cursor: string }>("SELECT cursor FROM issue_cursors WHERE project_id = :projectId", { projectId });
  return row?.cursor ?? null;
}

export function saveIssueCursor(tx: Transaction, projectId: ProjectId, cursor: string): void {
  tx.run(
    "INSERT INTO issue_cursors (project_id, cursor) VALUES (:projectId, :cursor) ON CONFLICT (project_id) DO UPDATE SET cursor = excluded.cursor",
    { projectId, cursor },
  );
}

/** Notes a webhook delivery. False: it was seen before. The last 10,000 are known. */
export function recordDelivery(tx: Transaction, projectId: ProjectId, deliveryId: string): boolean {
  const { changes } = tx.run(
    "INSERT INTO deliveries (project_id, delivery_id, at) VALUES (:projectId, :deliveryId, :now) ON CONFLICT (project_id, delivery_id) DO NOTHING",
    { projectId, deliveryId, now: tx.now },
  );
  tx.run("DELETE FROM deliveries WHERE sequence BETWEEN 1 AND (SELECT max(sequence) FROM deliveries) - :kept", { kept: DELIVERIES_KEPT });
  return changes === 1;
}

export function findIssueState(reader: Reader, projectId: ProjectId, issue: number): IssueState | undefined {
  const row = reader.get<IssueStateRow>("SELECT * FROM issue_states WHERE project_id = :projectId AND issue = :issue", {
    projectId,
    issue,
  });
  return row && toIssueState(row);
}

export function saveIssueState(tx: Transaction, state: IssueState): void {
  const { projectId, issue, contentHash, taskId, followUps, open, updatedAt } = state;
  tx.run(
    `INSERT OR REPLACE INTO issue_states (project_id, issue, content_hash, task_id, follow_ups, open, updated_at)
     VALUES (:projectId, :issue, :contentHash, :taskId, :followUps, :open, :updatedAt)`,
    { projectId, issue, contentHash, taskId, followUps, open: Number(open), updatedAt },
  );
}

/** The issues of a project that were open and labelled when we last looked. */
export function listOpenIssues(reader: Reader, projectId: ProjectId): number[] {
  return reader
    .all<{ issue: number }>("SELECT issue FROM issue_states WHERE project_id = :projectId AND open = 1", { projectId })
    .map((row) => row.issue);
}

/** Of these, the ones that now ask for something else than their newest task was made for, which has ended. */
export function listChangedIssues(reader: Reader, projectId: ProjectId): number[] {
  return reader
    .all<{ issue: number }>(
      `SELECT issue FROM issue_states CROSS JOIN tasks ON tasks.id = task_id
       WHERE issue_states.project_id = :projectId AND open = 1 AND tasks.finished_at IS NOT NULL
         AND issue_states.content_hash <> tasks.content_hash`,
      { projectId },
    )
    .map((row) => row.issue);
}

interface IssueStateRow {
  project_id: ProjectId;
  issue: number;
  content_hash: string;
  task_id: TaskId | null;
  follow_ups: number;
  open: number;
  updated_at: number;
}

function toIssueState(row: IssueStateRow): IssueState {
  return {
    projectId: row.project_id,
    issue: row.issue,
    contentHash: row.content_hash,
    taskId: row.task_id,
    followUps: row.follow_ups,
    open: row.open === 1,
    updatedAt: row.updated_at,
  };
}
