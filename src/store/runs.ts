import { AppError } from "../base/errors.ts";
import type { GateEvidence } from "../contract/gate.ts";
import type { ProjectId, RunId, TaskId } from "../contract/ids.ts";
import type { Proof } from "../contract/proof.ts";
import type { AgentKind, Question, Run, RunOutcome, RunProgress, RunState } from "../contract/run.ts";
import type { Reader } from "./database.ts";

const RUN_COLUMNS = "runs.*, projects.name || '#' || tasks.number AS task_key";
const RUN_JOINS = `
  CROSS JOIN tasks ON tasks.id = runs.task_id
  CROSS JOIN projects ON projects.id = runs.project_id`;

export function findRun(reader: Reader, id: string): Run | undefined {
  const row = reader.get<RunRow>(`SELECT ${RUN_COLUMNS} FROM runs ${RUN_JOINS} WHERE runs.id = :id`, { id });
  return row && toRun(row);
}

/** Throws `not_found`. */
export function getRun(reader: Reader, id: RunId): Run {
  const run = findRun(reader, id);
  if (!run) throw new AppError("not_found", `There is no run ${id}.`);
  return run;
}

export interface RunFilter {
  readonly projectId?: ProjectId | undefined;
  readonly taskId?: TaskId | undefined;
  /** Only those that have not ended, or only those that have. */
  readonly open?: boolean | undefined;
  /** The id of the last run of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** The newest first: the history of a task is the list of its runs. */
export function listRuns(reader: Reader, { projectId, taskId, open, after, limit }: RunFilter): Run[] {
  const conditions = ["runs.sequence < :after"];
  if (projectId !== undefined) conditions.push("runs.project_id = :projectId");
  if (taskId !== undefined) conditions.push("runs.task_id = :taskId");
  if (open !== undefined) conditions.push(`runs.finished_at IS ${open ? "" : "NOT"} NULL`);
  const params = {
    limit,
    after: after === undefined ? Number.MAX_SAFE_INTEGER : sequenceOf(reader, after),
    ...(projectId !== undefined && { projectId }),
    ...(taskId !== undefined && { taskId }),
  };
  // Left alone, SQLite walks back through all that ended, because it needs no sorting then.
  const runs = open ? "runs INDEXED BY runs_open" : "runs";
  const where = conditions.join(" AND ");
  return reader
    .all<RunRow>(`SELECT ${RUN_COLUMNS} FROM ${runs} ${RUN_JOINS} WHERE ${where} ORDER BY runs.sequence DESC LIMIT :limit`, params)
    .map(toRun);
}

/** What a task's newest run that succeeded with a change came to; undefined: none did. */
export function latestProof(reader: Reader, taskId: TaskId): Proof | undefined {
  const row = reader.get<{ proof: string }>(
    `SELECT json_extract(outcome, '$.proof') AS proof FROM runs
     WHERE task_id = :taskId AND json_extract(outcome, '$.status') = 'succeeded' ORDER BY sequence DESC LIMIT 1`,
    { taskId },
  );
  return row && (JSON.parse(row.proof) as Proof);
}

/** What the agent said of that change. */
export function latestProvedReport(reader: Reader, taskId: TaskId): string | undefined {
  const row = reader.get<{ report: string | null }>(
    `SELECT json_extract(outcome, '$.report') AS report FROM runs
     WHERE task_id = :taskId AND json_extract(outcome, '$.status') = 'succeeded' ORDER BY sequence DESC LIMIT 1`,
    { taskId },
  );
  return row?.report ?? undefined;
}

/** What a run of a stage with a gate came to. */
export interface GatedRun {
  readonly runId: RunId;
  readonly stage: string;
  readonly baseCommit: string;
  readonly headCommit: string;
  readonly gate: GateEvidence;
}

const GATED_MAX = 200;

/** The newest runs of a task that a gate judged, the oldest first: those that it accepted, and those that it refused. */
export function gatedRuns(reader: Reader, taskId: TaskId): GatedRun[] {
  const rows = reader.all<{ id: RunId; stage: string; proof: string }>(
    `SELECT id, stage, json_extract(outcome, '$.proof') AS proof FROM runs
     WHERE task_id = :taskId AND json_extract(outcome, '$.proof.gate') IS NOT NULL ORDER BY sequence DESC LIMIT ${GATED_MAX}`,
    { taskId },
  );
  return rows.toReversed().flatMap(({ id: runId, stage, proof }) => {
    const { baseCommit, headCommit, gate } = JSON.parse(proof) as Proof;
    return gate ? [{ runId, stage, baseCommit, headCommit, gate }] : [];
  });
}

/** The base that a task's newest run was cut from; undefined: none was yet. */
export function latestBase(reader: Reader, taskId: TaskId): string | undefined {
  const row = reader.get<{ base_commit: string }>(
    "SELECT base_commit FROM runs WHERE task_id = :taskId AND base_commit IS NOT NULL ORDER BY sequence DESC LIMIT 1",
    { taskId },
  );
  return row?.base_commit;
}

/** Whether an agent has begun at a stage of a task. */
export function hasBegunAt(reader: Reader, taskId: TaskId, stage: string): boolean {
  return (
    reader.get("SELECT 1 FROM runs WHERE task_id = :taskId AND stage = :stage AND progress <> 'preparing' LIMIT 1", { taskId, stage }) !==
    undefined
  );
}

/** When a task's first run at a stage began since the stage began anew. */
export function firstRunAt(reader: Reader, taskId: TaskId, stage: string): number | undefined {
  const row = reader.get<{ started_at: number }>(
    `SELECT started_at FROM runs WHERE task_id = :taskId AND stage = :stage AND iteration = 1 AND attempt = 1 ORDER BY sequence DESC LIMIT 1`,
    { taskId, stage },
  );
  return row?.started_at;
}

/** When the newest run of an iteration of a stage ended; undefined: none did. */
export function endOfIteration(reader: Reader, taskId: TaskId, stage: string, iteration: number): number | undefined {
  const row = reader.get<{ finished_at: number }>(
    `SELECT finished_at FROM runs WHERE task_id = :taskId AND stage = :stage AND iteration = :iteration AND finished_at IS NOT NULL
     ORDER BY sequence DESC LIMIT 1`,
    { taskId, stage, iteration },
  );
  return row?.finished_at;
}

/** The report of the newest run that was good at each stage of a task, by the stage. */
export function stageReports(reader: Reader, taskId: TaskId): Record<string, string> {
  const rows = reader.all<{ stage: string; report: string | null }>(
    `SELECT stage, json_extract(outcome, '$.report') AS report FROM runs
     WHERE task_id = :taskId AND json_extract(outcome, '$.status') IN ('succeeded', 'no_change') ORDER BY sequence`,
    { taskId },
  );
  return Object.fromEntries(rows.map(({ stage, report }) => [stage, report ?? ""]));
}

/** The newest runs among which work is looked for. */
const WORK_AMONG = 200;

/** Whether a worker was at work in a project, or (null) in any, after a time. */
export function hasWorkedSince(reader: Reader, projectId: ProjectId | null, since: number): boolean {
  const where = projectId === null ? "" : "WHERE project_id = :projectId";
  return (
    reader.get(
      `SELECT 1 FROM (SELECT kind, finished_at FROM runs ${where} ORDER BY sequence DESC LIMIT ${WORK_AMONG})
       WHERE kind = 'worker' AND coalesce(finished_at, 9e15) > :since LIMIT 1`,
      { since, ...(projectId !== null && { projectId }) },
    ) !== undefined
  );
}

/** Every run that has not ended, oldest first. */
export function openRuns(reader: Reader): Run[] {
  const runs = "runs INDEXED BY runs_open";
  return reader
    .all<RunRow>(`SELECT ${RUN_COLUMNS} FROM ${runs} ${RUN_JOINS} WHERE runs.finished_at IS NULL ORDER BY runs.sequence`)
    .map(toRun);
}

/** Their ids alone. */
export function openRunIds(reader: Reader): RunId[] {
  return reader
    .all<{ id: RunId }>("SELECT id FROM runs INDEXED BY runs_open WHERE finished_at IS NULL ORDER BY sequence")
    .map(({ id }) => id);
}

/** How many seats of each kind the open runs take. */
export function takenSeats(reader: Reader): Map<string, number> {
  const rows = reader.all<{ kind: string; count: number }>(
    `SELECT kinds.value AS kind, count(*) AS count FROM runs INDEXED BY runs_open, json_each(seats) AS kinds
     WHERE finished_at IS NULL GROUP BY kinds.value`,
  );
  return new Map(rows.map(({ kind, count }) => [kind, count]));
}

/** The kinds of seats that a run takes. */
export function seatsOfRun(reader: Reader, id: RunId): string[] {
  return JSON.parse(reader.get<{ seats: string }>("SELECT seats FROM runs WHERE id = :id", { id })?.seats ?? "[]") as string[];
}

/** The numbers of the workers that carry an open run. */
export function busyWorkers(reader: Reader): number[] {
  return reader
    .all<{ worker: number }>("SELECT worker FROM runs INDEXED BY runs_open WHERE finished_at IS NULL")
    .map(({ worker }) => worker);
}

function sequenceOf(reader: Reader, id: string): number {
  const row = reader.get<{ sequence: number }>("SELECT sequence FROM runs WHERE id = :id", { id });
  if (!row) throw new AppError("invalid", `There is no run ${id} to list from.`);
  return row.sequence;
}

interface RunRow {
  id: RunId;
  task_id: TaskId;
  task_key: string;
  project_id: ProjectId;
  stage: string;
  attempt: number;
  iteration: number;
  epoch: number;
  worker: number;
  agent: string;
  kind: AgentKind;
  driver: string;
  isolation: string;
  progress: RunProgress;
  state: string | null;
  outcome: string | null;
  lease_expires_at: number;
  process: string | null;
  session_id: string | null;
  resumes_session_id: string | null;
  base_commit: string | null;
  questions: string;
  output_offset: number;
  input_tokens: number;
  output_tokens: number;
  cache_read_tokens: number;
  cost_usd_micros: number | null;
  started_at: number;
  finished_at: number | null;
  progress_at: number;
}

function toRun(row: RunRow): Run {
  return {
    id: row.id,
    taskId: row.task_id,
    taskKey: row.task_key,
    projectId: row.project_id,
    stage: row.stage,
    attempt: row.attempt,
    iteration: row.iteration,
    epoch: row.epoch,
    worker: row.worker,
    agent: row.agent,
    kind: row.kind,
    driver: row.driver,
    isolation: row.isolation,
    progress: row.progress,
    state: row.state === null ? null : (JSON.parse(row.state) as RunState),
    outcome: row.outcome === null ? null : (JSON.parse(row.outcome) as RunOutcome),
    leaseExpiresAt: row.lease_expires_at,
    process: row.process === null ? null : (JSON.parse(row.process) as Run["process"]),
    sessionId: row.session_id,
    resumesSessionId: row.resumes_session_id,
    baseCommit: row.base_commit,
    questions: JSON.parse(row.questions) as Question[],
    usage: {
      inputTokens: row.input_tokens,
      outputTokens: row.output_tokens,
      cacheReadTokens: row.cache_read_tokens,
      costUsdMicros: row.cost_usd_micros,
    },
    outputOffset: row.output_offset,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    progressAt: row.progress_at,
  };
}
