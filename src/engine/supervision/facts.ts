import { AppError } from "../../base/errors.ts";
import type { Alert, Event } from "../../contract/event.ts";
import type { ProjectId, TaskId } from "../../contract/ids.ts";
import type { Run } from "../../contract/run.ts";
import type { Task } from "../../contract/task.ts";
import { groupFailures, type Failure } from "../../domain/failure-groups.ts";
import { listAlerts } from "../../store/alerts.ts";
import { latestEvents } from "../../store/events.ts";
import { latestHookEvents } from "../../store/hook-events.ts";
import { getProject, listProjects } from "../../store/projects.ts";
import { listReports } from "../../store/reports.ts";
import { listRuns } from "../../store/runs.ts";
import { countTasks, getTask, listTasks } from "../../store/tasks.ts";
import type { EngineParts } from "../parts.ts";
import { isSupervisory, type Watched } from "./watched.ts";

/** A file that is put before an agent. Its text is bounded. */
export interface MaterialFile {
  readonly name: string;
  /** What it holds, for the agent. */
  readonly about: string;
  readonly text: string;
}

/** How much of each kind is shown, the newest of it. */
const SHOWN = { tasks: 200, runs: 200, events: 500, hookTasks: 10, hooksOfTask: 200, alerts: 100, reports: 10 } as const;
/** Of a text in it, and of a whole file, characters. */
const TEXT_MAX = 4000;
const FILE_MAX = 400_000;

/** What the daemon knows of what is watched, as JSON files. What supervisory agents did themselves is not in it. */
export async function factsOf(parts: EngineParts, watched: Watched): Promise<MaterialFile[]> {
  const { reader } = parts.database;
  const about = aboutOf(watched);
  const isWork = rememberWork(parts);
  const runs = listRuns(reader, { ...about, limit: SHOWN.runs }).filter(({ kind, taskId }) => kind === "worker" && isWork(taskId));
  const tasks = tasksOf(parts, watched).filter(({ id }) => isWork(id));
  const events = latestEvents(reader, { ...about, limit: SHOWN.events }).filter(({ taskId }) => taskId === null || isWork(taskId));
  return [
    jsonFile("tasks.json", "the tasks, the newest first, with their status, what they wait for and what they cost", tasks),
    jsonFile("runs.json", "the attempts at them, the newest first: state with its evidence, outcome, what the checks saw, cost", runs),
    jsonFile("events.json", "what happened, the newest first", events.toReversed()),
    jsonFile("alerts.json", "the alerts that are open", alertsOf(parts, watched)),
    jsonFile("reports.json", "what was concluded of the same before, the newest first", reportsOf(parts, watched)),
    ...(watched.scope === "system"
      ? [jsonFile("projects.json", "the projects, with how many tasks each has by status", projectsOf(parts))]
      : [jsonFile("hooks.json", "what the agents did, tool by tool, the newest first", hooksOf(parts, watched, runs))]),
    ...(watched.scope === "task"
      ? await changeOf(parts, watched.task)
      : [
          jsonFile(
            "failures.json",
            "what failed, by its cause; what is in the most projects first",
            groupFailures(failuresOf(parts, runs)),
          ),
        ]),
  ];
}

/** Which rows are about it. */
function aboutOf(watched: Watched): { readonly taskId?: TaskId; readonly projectId?: ProjectId } {
  if (watched.scope === "task") return { taskId: watched.task.id };
  return watched.scope === "project" ? { projectId: watched.project.id } : {};
}

/** Says of a task whether it is more than supervision, and looks each up once. */
function rememberWork(parts: EngineParts): (id: TaskId) => boolean {
  const known = new Map<TaskId, boolean>();
  return (id) => {
    const isWork = known.get(id) ?? !isSupervisory(parts, getTask(parts.database.reader, id), parts.database.reader);
    known.set(id, isWork);
    return isWork;
  };
}

function tasksOf({ database: { reader } }: EngineParts, watched: Watched): Task[] {
  if (watched.scope === "task") return [getTask(reader, watched.task.id)];
  return listTasks(reader, { ...(watched.scope === "project" && { projectId: watched.project.id }), limit: SHOWN.tasks });
}

function alertsOf({ database: { reader } }: EngineParts, watched: Watched): Alert[] {
  const alerts = listAlerts(reader, { open: true, limit: SHOWN.alerts });
  if (watched.scope === "task") return alerts.filter(({ taskId }) => taskId === watched.task.id);
  return watched.scope === "project" ? alerts.filter(({ projectId }) => projectId === watched.project.id) : alerts;
}

function reportsOf({ database: { reader } }: EngineParts, watched: Watched) {
  return listReports(reader, { scope: watched.scope, ...aboutOf(watched), limit: SHOWN.reports });
}

function projectsOf({ database: { reader } }: EngineParts) {
  return listProjects(reader).map(({ id, name, enabled, lastError }) => ({ name, enabled, lastError, counts: countTasks(reader, id) }));
}

function hooksOf({ database: { reader } }: EngineParts, watched: Watched, runs: readonly Run[]) {
  const tasks = watched.scope === "task" ? [watched.task.id] : [...new Set(runs.map(({ taskId }) => taskId))].slice(0, SHOWN.hookTasks);
  return tasks.flatMap((id) => latestHookEvents(reader, id, SHOWN.hooksOfTask).toReversed());
}

function failuresOf({ database: { reader } }: EngineParts, runs: readonly Run[]): Failure[] {
  const names = new Map<ProjectId, string>();
  const nameOf = (id: ProjectId) => {
    const name = names.get(id) ?? getProject(reader, id).name;
    names.set(id, name);
    return name;
  };
  return runs.flatMap(({ outcome, projectId, taskKey, finishedAt }): Failure[] =>
    outcome?.status === "failed"
      ? [{ project: nameOf(projectId), task: taskKey, reason: outcome.reason, message: outcome.message, at: finishedAt ?? 0 }]
      : [],
  );
}

/** What the task changed so far, where anything was saved. */
async function changeOf(parts: EngineParts, task: Task): Promise<MaterialFile[]> {
  try {
    const diff = await parts.workspaces.diff(getProject(parts.database.reader, task.projectId), task, null);
    return [{ name: "change.diff", about: "what the task changed so far", text: diff.slice(0, FILE_MAX) }];
  } catch (thrown) {
    // Nothing was saved yet, or it is too large to be shown; the rest is there all the same.
    if (thrown instanceof AppError && (thrown.code === "not_found" || thrown.code === "invalid")) return [];
    throw thrown;
  }
}

/** As many of the items, the newest of which come first, as a file may hold. */
function jsonFile(name: string, about: string, items: readonly object[]): MaterialFile {
  const shown: string[] = [];
  let length = 0;
  for (const item of items as readonly (Event | object)[]) {
    const text = JSON.stringify(item, cutTexts);
    length += text.length;
    if (length > FILE_MAX) break;
    shown.push(text);
  }
  const left = items.length - shown.length;
  return { name, about: left === 0 ? about : `${about} (${left} more are left out)`, text: `[\n${shown.join(",\n")}\n]\n` };
}

function cutTexts(_key: string, value: unknown): unknown {
  return typeof value === "string" && value.length > TEXT_MAX ? `${value.slice(0, TEXT_MAX)}… (cut)` : value;
}
