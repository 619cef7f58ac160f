import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../base/errors.ts";
import type { TaskStatus } from "../contract/task.ts";
import { foldMoves, type TaskMove } from "../domain/task-states.ts";
import { Statements, type Reader } from "./statements.ts";

export interface Verification {
  readonly ok: boolean;
  /** In sentences that name what is wrong; at most 20 of each kind. */
  readonly problems: string[];
  readonly tasks: number;
  readonly events: number;
}

const SHOWN_MAX = 20;
const TASKS_AT_ONCE = 1000;

/** Reads a whole database file, and may take seconds for that. */
export function verifyFile(path: string): Verification {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(path, { readOnly: true });
    const reader = new Statements(connection);
    const problems = findProblems(reader);
    return { ok: problems.length === 0, problems, tasks: count(reader, "tasks"), events: count(reader, "events") };
  } catch (thrown) {
    // That it can't be read is what was asked for.
    return { ok: false, problems: [`The database can't be read: ${messageOf(thrown)}.`], tasks: 0, events: 0 };
  } finally {
    connection?.close();
  }
}

/** What must always hold of a database and does not. */
export function findProblems(reader: Reader): string[] {
  const damage = reader.all<{ integrity_check: string }>(`PRAGMA integrity_check(${SHOWN_MAX})`).map((row) => row.integrity_check);
  // Nothing more can be said of a file whose pages are wrong.
  if (damage.join() !== "ok") return damage.map((line) => `SQLite finds damage: ${line}`);
  return [
    ...brokenReferences(reader),
    ...sentences.flatMap((query) => reader.all<{ problem: string }>(query)).map((row) => row.problem),
    ...wrongHistories(reader),
  ];
}

/** Each yields what is wrong, one sentence a row. */
const sentences = [
  `SELECT 'The counter of ' || status || ' tasks of project ' || name || ' says ' || count || ', and there are ' || actual || '.' AS problem
   FROM (
     SELECT task_counts.status, name, count, (SELECT count(*) FROM tasks WHERE tasks.project_id = projects.id AND tasks.status = task_counts.status) AS actual
     FROM task_counts JOIN projects ON projects.id = project_id
   ) WHERE count <> actual LIMIT ${SHOWN_MAX}`,
  `SELECT 'The counter of all ' || status || ' tasks says ' || count || ', and there are ' || actual || '.' AS problem
   FROM (SELECT status, count, (SELECT count(*) FROM tasks WHERE tasks.status = task_totals.status) AS actual FROM task_totals)
   WHERE count <> actual LIMIT ${SHOWN_MAX}`,
  ...["events", "audit"].map(
    (
      table,
    ) => `SELECT 'Of ${table}, ' || missing || ' of ' || newest || ' lines are missing' || coalesce(', the first behind sequence ' || (
       SELECT previous FROM (SELECT sequence, lag(sequence, 1, 0) OVER (ORDER BY sequence) AS previous FROM ${table})
       WHERE sequence <> previous + 1 ORDER BY sequence LIMIT 1
     ), '') || '.' AS problem
     FROM (SELECT seq AS newest, seq - (SELECT count(*) FROM ${table}) AS missing FROM sqlite_sequence WHERE name = '${table}')
     WHERE missing <> 0`,
  ),
  `SELECT 'Task ' || id || ' is running and has no open run.' AS problem
   FROM tasks WHERE status = 'running' AND id NOT IN (SELECT task_id FROM runs WHERE finished_at IS NULL) LIMIT ${SHOWN_MAX}`,
  `SELECT 'Task ' || id || ' is queued, and not all that it depends on has succeeded.' AS problem
   FROM tasks WHERE status = 'queued' AND (SELECT status FROM task_readiness WHERE task_id = tasks.id) <> 'queued' LIMIT ${SHOWN_MAX}`,
  `SELECT 'Task ' || id || ' has no text.' AS problem FROM tasks WHERE id NOT IN (SELECT task_id FROM task_bodies) LIMIT ${SHOWN_MAX}`,
  `SELECT 'Task ' || id || ' is at epoch ' || epoch || ', and its newest run is of ' || newest || '.' AS problem
   FROM (SELECT id, epoch, coalesce((SELECT max(epoch) FROM runs WHERE task_id = tasks.id), 0) AS newest FROM tasks)
   WHERE epoch <> newest LIMIT ${SHOWN_MAX}`,
  `SELECT 'Project ' || name || ' has given out number ' || last_number || ', and has a task ' || newest || '.' AS problem
   FROM (SELECT name, last_number, (SELECT max(number) FROM tasks WHERE project_id = projects.id) AS newest FROM projects)
   WHERE newest > last_number LIMIT ${SHOWN_MAX}`,
];

function brokenReferences(reader: Reader): string[] {
  return reader
    .all<{ table: string; rowid: number | null; parent: string }>("PRAGMA foreign_key_check")
    .slice(0, SHOWN_MAX)
    .map(({ table, rowid, parent }) => `Row ${rowid ?? "?"} of ${table} refers to a row of ${parent} that is not there.`);
}

/** A task's status is where its history leads. */
function wrongHistories(reader: Reader): string[] {
  const problems: string[] = [];
  for (let after = 0; problems.length < SHOWN_MAX;) {
    const tasks = reader.all<HistoryTask>("SELECT sequence, id, status FROM tasks WHERE sequence > :after ORDER BY sequence LIMIT :limit", {
      after,
      limit: TASKS_AT_ONCE,
    });
    problems.push(...tasks.flatMap((task) => wrongHistory(reader, task)));
    const last = tasks.at(-1);
    if (!last) break;
    after = last.sequence;
  }
  return problems.slice(0, SHOWN_MAX);
}

interface HistoryTask {
  sequence: number;
  id: string;
  status: TaskStatus;
}

function wrongHistory(reader: Reader, { id, status }: HistoryTask): string[] {
  const history = reader.all<{ type: string; data: string }>(
    "SELECT type, data FROM events WHERE task_id = :id AND type IN ('task.created', 'task.status_changed') ORDER BY sequence",
    { id },
  );
  const [first, ...moves] = history;
  if (first?.type !== "task.created") return [`The history of task ${id} does not begin with its making.`];
  const folded = foldMoves(
    (JSON.parse(first.data) as { status: TaskStatus }).status,
    moves.map((move) => JSON.parse(move.data) as TaskMove),
  );
  if (folded.problem !== null) return [`The history of task ${id} has a flaw: ${folded.problem}.`];
  return folded.status === status ? [] : [`Task ${id} is ${status}, and its history ends with ${folded.status}.`];
}

function count(reader: Reader, table: "tasks" | "events"): number {
  return reader.get<{ count: number }>(`SELECT count(*) AS count FROM ${table}`)?.count ?? 0;
}
