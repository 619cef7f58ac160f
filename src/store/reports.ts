import { AppError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { ProjectId, ReportId, RunId, TaskId } from "../contract/ids.ts";
import type { Finding, Report, ReportAction, ReportScope, ReportVerdict } from "../contract/report.ts";
import type { AgentKind } from "../contract/run.ts";
import type { Reader, Transaction } from "./database.ts";
import { appendEvent } from "./events.ts";

export type NewReport = Pick<
  Report,
  "scope" | "taskId" | "projectId" | "runId" | "byTaskId" | "verdict" | "summary" | "findings" | "actions"
>;

/** Keeps what a run concluded, with the events that tell of it and of its actions. */
export function addReport(tx: Transaction, report: NewReport): Report {
  const id = newId("report");
  const { scope, taskId, projectId, runId, byTaskId, verdict, summary, findings, actions } = report;
  tx.run(
    `INSERT INTO reports (id, at, scope, task_id, project_id, run_id, by_task_id, verdict, summary, findings, actions)
     VALUES (:id, :now, :scope, :taskId, :projectId, :runId, :byTaskId, :verdict, :summary, :findings, :actions)`,
    {
      id,
      now: tx.now,
      scope,
      taskId,
      projectId,
      runId,
      byTaskId,
      verdict,
      summary,
      findings: JSON.stringify(findings),
      actions: JSON.stringify(actions),
    },
  );
  const added = getReport(tx, id);
  const about = { ...(projectId && { projectId }), taskId: byTaskId, runId };
  appendEvent(tx, { type: "report.written", ...about, data: { report: id, scope, subject: added.subject, verdict } });
  for (const { action, task, refusal } of actions)
    appendEvent(tx, { type: "report.action_taken", ...about, data: { report: id, action, task, refusal } });
  return added;
}

/** Throws `not_found`. */
export function getReport(reader: Reader, id: string): Report {
  const row = reader.get<ReportRow>(`${SELECT} WHERE reports.id = :id`, { id });
  if (!row) throw new AppError("not_found", `There is no report ${JSON.stringify(id)}. List them with: drover report list`);
  return toReport(row);
}

export interface ReportFilter {
  readonly scope?: ReportScope | undefined;
  readonly verdict?: ReportVerdict | undefined;
  readonly projectId?: ProjectId | undefined;
  /** About this task, or by it. */
  readonly taskId?: TaskId | undefined;
  /** The id of the last report of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** The newest first. */
export function listReports(reader: Reader, { after, limit, ...filter }: ReportFilter): Report[] {
  const { scope, verdict, projectId, taskId } = filter;
  const conditions = ["reports.sequence < coalesce((SELECT sequence FROM reports WHERE id = :after), 9e15)"];
  if (scope !== undefined) conditions.push("reports.scope = :scope");
  if (verdict !== undefined) conditions.push("reports.verdict = :verdict");
  if (projectId !== undefined) conditions.push("reports.project_id = :projectId");
  if (taskId !== undefined) conditions.push("(reports.task_id = :taskId OR reports.by_task_id = :taskId)");
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
  return reader
    .all<ReportRow>(`${SELECT} WHERE ${conditions.join(" AND ")} ORDER BY reports.sequence DESC LIMIT :limit`, {
      ...(given as Record<string, string>),
      after: after ?? null,
      limit,
    })
    .map(toReport);
}

const SELECT = `SELECT reports.*, runs.stage, runs.kind, projects.name AS project,
    watched_project.name || '#' || watched.number AS watched_key, author_project.name || '#' || author.number AS by_task_key
  FROM reports
  CROSS JOIN runs ON runs.id = reports.run_id
  CROSS JOIN tasks AS author ON author.id = reports.by_task_id
  CROSS JOIN projects AS author_project ON author_project.id = author.project_id
  LEFT JOIN projects ON projects.id = reports.project_id
  LEFT JOIN tasks AS watched ON watched.id = reports.task_id
  LEFT JOIN projects AS watched_project ON watched_project.id = watched.project_id`;

interface ReportRow {
  id: ReportId;
  at: number;
  scope: ReportScope;
  task_id: TaskId | null;
  watched_key: string | null;
  project_id: ProjectId | null;
  project: string | null;
  run_id: RunId;
  by_task_id: TaskId;
  by_task_key: string;
  stage: string;
  kind: AgentKind;
  verdict: ReportVerdict;
  summary: string;
  findings: string;
  actions: string;
}

function toReport(row: ReportRow): Report {
  return {
    id: row.id,
    at: row.at,
    scope: row.scope,
    subject: row.watched_key ?? row.project ?? "system",
    taskId: row.task_id,
    projectId: row.project_id,
    project: row.project,
    byTaskId: row.by_task_id,
    byTaskKey: row.by_task_key,
    runId: row.run_id,
    stage: row.stage,
    kind: row.kind,
    verdict: row.verdict,
    summary: row.summary,
    findings: JSON.parse(row.findings) as Finding[],
    actions: JSON.parse(row.actions) as ReportAction[],
  };
}
