import type { Figure, FigureSubject } from "../contract/figures.ts";
import type { Reader } from "./database.ts";

const FIGURES_MAX = 5000;

const names: Readonly<Record<FigureSubject, string>> = { project: "projects.name", workflow: "tasks.workflow", agent: "runs.agent" };

/** What runs that began since then came to, a day and a name each, the oldest day first. Run ids begin with their time, so their index finds them. */
export function listFigures(reader: Reader, since: number, by: FigureSubject): Figure[] {
  return reader.all<Figure>(
    `SELECT date(runs.started_at / 1000, 'unixepoch') AS day, ${names[by]} AS name, count(*) AS runs,
       count(*) FILTER (WHERE outcome ->> 'status' IN ('succeeded', 'no_change')) AS succeeded,
       count(*) FILTER (WHERE outcome ->> 'status' = 'failed') AS failed,
       count(*) FILTER (WHERE outcome ->> 'status' = 'cancelled') AS cancelled,
       coalesce(sum(runs.finished_at - runs.started_at), 0) AS durationMs,
       sum(runs.input_tokens) AS inputTokens, sum(runs.output_tokens) AS outputTokens, coalesce(sum(runs.cost_usd_micros), 0) AS costUsdMicros
     FROM runs CROSS JOIN tasks ON tasks.id = runs.task_id CROSS JOIN projects ON projects.id = runs.project_id
     WHERE runs.id >= :from AND runs.started_at >= :since GROUP BY day, name ORDER BY day, name LIMIT ${FIGURES_MAX}`,
    { from: `run_${uuidPrefix(since)}`, since },
  );
}

/** What the runs of a project and an agent that have ended in one way came to, together. */
export interface RunTotal {
  readonly project: string;
  readonly agent: string;
  readonly outcome: string;
  readonly runs: number;
  readonly durationMs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costUsdMicros: number;
}

/** Of the runs that began since then. Costs time with their number. */
export function listRunTotals(reader: Reader, since: number): RunTotal[] {
  return reader.all<RunTotal>(
    `SELECT projects.name AS project, agent, outcome ->> 'status' AS outcome, count(*) AS runs,
       sum(runs.finished_at - runs.started_at) AS durationMs,
       sum(runs.input_tokens) AS inputTokens, sum(runs.output_tokens) AS outputTokens, coalesce(sum(runs.cost_usd_micros), 0) AS costUsdMicros
     FROM runs CROSS JOIN projects ON projects.id = runs.project_id
     WHERE runs.id >= :from AND runs.started_at >= :since AND runs.finished_at IS NOT NULL GROUP BY project, agent, outcome LIMIT ${FIGURES_MAX}`,
    { from: `run_${uuidPrefix(since)}`, since },
  );
}

/** How a UUIDv7 of that millisecond begins (RFC 9562, section 5.7). */
function uuidPrefix(at: number): string {
  const hex = at.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
