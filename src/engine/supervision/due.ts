import type { Project } from "../../contract/project.ts";
import type { Reader, Transaction } from "../../store/database.ts";
import { listProjects } from "../../store/projects.ts";
import { hasWorkedSince } from "../../store/runs.ts";
import { endedStatuses, type TaskStatus } from "../../contract/task.ts";
import { insertTask, latestOfSource } from "../../store/tasks.ts";
import { parametersOf } from "../../domain/workflow-parameters.ts";
import type { EngineParts } from "../parts.ts";

type Scope = "project" | "system";

/** What it goes by. */
type DueParts = Pick<EngineParts, "clock" | "database" | "settings" | "workflows">;

/** Files the supervision that is due by the configuration: of each project, and of all together. One of a kind at a time. */
export async function fileDueSupervision(parts: DueParts): Promise<void> {
  const { clock, database, settings } = parts;
  const due = dueNow(parts, database.reader, clock.now());
  if (due.length === 0) return;
  await database.write((tx) => {
    // What was due a moment ago may have been filed meanwhile.
    for (const { scope, project } of dueNow(parts, tx, tx.now)) {
      const { defaults } = settings.forProject(project);
      file(parts, tx, { scope, project, attemptMax: defaults.retryAttempts, priority: defaults.priority });
    }
  });
}

function dueNow({ settings }: DueParts, reader: Reader, now: number): { scope: Scope; project: Project }[] {
  const projects = listProjects(reader).filter((project) => project.enabled && settings.isKnown(project));
  const { systemEveryMs, systemProject } = settings.current().supervision;
  const home = projects.find(({ name }) => name === systemProject) ?? (systemProject === null ? projects[0] : undefined);
  const candidates = [
    ...projects.map((project) => ({
      scope: "project" as const,
      project,
      everyMs: settings.forProject(project).supervision.projectEveryMs,
    })),
    ...(home ? [{ scope: "system" as const, project: home, everyMs: systemEveryMs }] : []),
  ];
  return candidates.filter(({ scope, project, everyMs }) => {
    if (everyMs === null) return false;
    const last = latestOfSource(reader, project.id, "task", keyPrefix(scope));
    if (last && !(endedStatuses as readonly TaskStatus[]).includes(last.status)) return false;
    const since = last?.createdAt ?? 0;
    return now - since >= everyMs && hasWorkedSince(reader, scope === "project" ? project.id : null, since);
  });
}

function file(
  { workflows }: DueParts,
  tx: Transaction,
  { scope, project, attemptMax, priority }: { scope: Scope; project: Project; attemptMax: number; priority: number },
): void {
  const { workflow } = workflows.inForce(project.id, scope === "project" ? "supervise" : "manage");
  insertTask(tx, {
    projectId: project.id,
    title: scope === "project" ? `Supervise ${project.name}` : "Look over all projects",
    body: "Filed because it was due.",
    source: { kind: "task", key: `${keyPrefix(scope)}${tx.now}`, issue: null, url: null, actor: "daemon" },
    workflow: workflow.name,
    stage: workflow.stages[0]?.name ?? "",
    parameters: parametersOf(workflow, {}),
    delivery: "comment",
    priority,
    deadlineAt: null,
    dependsOn: [],
    parentId: null,
    attemptMax,
    draft: false,
  });
}

function keyPrefix(scope: Scope): string {
  return `supervision:${scope}:`;
}
