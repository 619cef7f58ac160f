import type { Card } from "../contract/board.ts";
import type { BranchState } from "../contract/branch.ts";
import type { RunId, TaskId } from "../contract/ids.ts";
import type { RunProgress } from "../contract/run.ts";
import type { Reader } from "./database.ts";
import type { TaskRow } from "./task-row.ts";

const OPEN = "'draft', 'queued', 'running', 'waiting', 'blocked'";

const CARDS = `SELECT tasks.*, projects.name AS project, branches.state AS branch_state, runs.id AS run_id, runs.agent, runs.progress
  FROM tasks
  CROSS JOIN projects ON projects.id = tasks.project_id
  LEFT JOIN branches ON branches.task_id = tasks.id
  LEFT JOIN runs ON runs.task_id = tasks.id AND runs.finished_at IS NULL`;

/** As they were made: open tasks, at most `open`, those that go first; and those that ended last, at most `ended`, with all whose branches wait, as many again. */
export function listCards(reader: Reader, max: { open: number; ended: number }): { cards: Card[]; omitted: number } {
  const rows = reader.all<CardRow>(
    `${CARDS} WHERE tasks.sequence IN (SELECT sequence FROM tasks WHERE status IN (${OPEN}) ORDER BY priority DESC, sequence LIMIT :open)
       OR tasks.sequence IN (SELECT sequence FROM tasks WHERE finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT :ended)
       OR tasks.id IN (SELECT task_id FROM branches WHERE state IN ('open', 'left') ORDER BY updated_at DESC LIMIT :ended)
     ORDER BY tasks.sequence`,
    max,
  );
  const open = reader.get<{ count: number }>(`SELECT sum(count) AS count FROM task_totals WHERE status IN (${OPEN})`)?.count ?? 0;
  return { cards: rows.map(toCard), omitted: Math.max(0, open - max.open) };
}

/** These tasks as cards, in no order; what does not exist is left out. */
export function findCards(reader: Reader, ids: readonly string[]): Card[] {
  return reader.all<CardRow>(`${CARDS} WHERE tasks.id IN (SELECT value FROM json_each(:ids))`, { ids: JSON.stringify(ids) }).map(toCard);
}

interface CardRow extends TaskRow {
  branch_state: BranchState | null;
  run_id: RunId | null;
  agent: string;
  progress: RunProgress;
}

function toCard(row: CardRow): Card {
  return {
    id: row.id satisfies TaskId,
    key: `${row.project}#${row.number}`,
    project: row.project,
    title: row.title,
    status: row.status,
    reason: row.reason,
    message: row.message,
    workflow: row.workflow,
    stage: row.stage,
    priority: row.priority,
    attempt: row.attempt,
    iteration: row.iteration,
    parentId: row.parent_id,
    costUsdMicros: row.cost_usd_micros,
    pullRequest: row.pull_number === null || row.pull_url === null ? null : { number: row.pull_number, url: row.pull_url },
    branch: row.branch_state,
    run: row.run_id === null ? null : { id: row.run_id, agent: row.agent, progress: row.progress, state: null },
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
