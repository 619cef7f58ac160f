import { AppError, messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { ProjectId } from "../contract/ids.ts";
import type { Project } from "../contract/project.ts";
import type { Task } from "../contract/task.ts";
import type { Stage, Workflow } from "../contract/workflow.ts";
import { raiseAlert, resolveAlerts } from "../store/alerts.ts";
import type { Database, Reader, Transaction } from "../store/database.ts";
import { appendEvent } from "../store/events.ts";
import { acceptWorkflow, findWorkflow, withdrawWorkflow, workflowIdOf, workflowsInForce, type StoredWorkflow } from "../store/workflows.ts";
import { resolveWorkflows } from "../workflow/resolve.ts";
import type { WorkflowFolder } from "../workflow/sources.ts";

/** Where a place's workflows are read: those of all projects, the outermost first, then its own. */
export interface WorkflowFiles {
  /** What comes with Drover, then what the home has. */
  readonly common: () => readonly WorkflowFolder[];
  readonly ofProject: (project: Project) => WorkflowFolder;
}

/** Of versions that tasks in flight began with. */
const KEPT_MAX = 200;

/**
 * The workflows: read from their files when somebody says that they may have changed, kept in the database as numbered versions, and
 * handed out from there. One that became wrong has an alert, and its last good version stays in force.
 */
export class WorkflowLibrary {
  readonly #database: Database;
  readonly #log: Log;
  readonly #files: WorkflowFiles;
  readonly #kept = new Map<number, StoredWorkflow>();
  #inForce = new Map<string, StoredWorkflow>();

  constructor({ database, log }: { readonly database: Database; readonly log: Log }, files: WorkflowFiles) {
    this.#database = database;
    this.#log = log;
    this.#files = files;
    this.reload();
    database.onCommit((changed) => {
      if (changed.has("workflows_in_force")) this.reload();
    });
  }

  /** Reads the files of all projects' common workflows and those of `projects`, and puts in force what is new and right. */
  async refresh(projects: readonly Project[]): Promise<void> {
    const common = this.#files.common();
    await this.#database.write((tx) => {
      this.#take(tx, null, common);
      for (const project of projects) this.#take(tx, project.id, [...common, this.#files.ofProject(project)]);
    });
    this.reload();
  }

  /** What a project's new tasks of a workflow get. Throws `invalid` naming what there is. */
  inForce(projectId: ProjectId | null, name: string): StoredWorkflow {
    const found = (projectId === null ? undefined : this.#inForce.get(keyOf(projectId, name))) ?? this.#inForce.get(keyOf(null, name));
    if (found) return found;
    const known = this.list(projectId).map((one) => one.name);
    throw new AppError("invalid", `There is no workflow ${JSON.stringify(name)}. There is: ${known.join(", ")}.`);
  }

  /** The first stage of what a project's new tasks of a workflow get. Throws as `inForce` does. */
  firstStage(projectId: ProjectId, name: string): string {
    return this.inForce(projectId, name).workflow.stages[0]?.name ?? "";
  }

  /** In force for a project, or (null) for all that have none of the name themselves: by name. */
  list(projectId: ProjectId | null): StoredWorkflow[] {
    const names = new Map<string, StoredWorkflow>();
    for (const place of projectId === null ? [null] : [null, projectId]) {
      const prefix = keyOf(place, "");
      for (const [key, one] of this.#inForce) if (key.startsWith(prefix)) names.set(one.name, one);
    }
    return [...names.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Every workflow in force anywhere. */
  all(): StoredWorkflow[] {
    return [...this.#inForce.values()];
  }

  /** The workflow of a task: the version that it began with, else the one in force. Throws `invalid` when there is none. */
  of({ id, projectId, workflow }: Pick<Task, "id" | "projectId" | "workflow">, reader: Reader = this.#database.reader): Workflow {
    return this.at(projectId, workflow, workflowIdOf(reader, id));
  }

  /** The same for tasks that began with a version, or (null) have not begun. */
  at(projectId: ProjectId, name: string, version: number | null): Workflow {
    return version === null ? this.inForce(projectId, name).workflow : this.#version(version).workflow;
  }

  #version(id: number): StoredWorkflow {
    const known = this.#kept.get(id) ?? findWorkflow(this.#database.reader, id);
    if (!known) throw new AppError("internal", `There is no version ${id} of any workflow.`);
    this.#kept.delete(id);
    this.#kept.set(id, known);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_MAX) break;
      this.#kept.delete(oldest);
    }
    return known;
  }

  reload(): void {
    this.#inForce = new Map(workflowsInForce(this.#database.reader).map((one) => [keyOf(one.projectId, one.name), one]));
  }

  #take(tx: Transaction, projectId: ProjectId | null, folders: readonly WorkflowFolder[]): void {
    const own = projectId === null ? 0 : folders.length - 1;
    const resolved = resolveWorkflows(folders).filter(({ folder }) => folder >= own);
    // The innermost of a name counts; the ones below it are what it may be built upon.
    const byName = new Map(resolved.map((one) => [one.source.name, one]));
    const wrong = folders.slice(own).flatMap(({ problems }) => problems);
    for (const { source, workflow, error, folder } of byName.values()) {
      if (workflow) acceptWorkflow(tx, projectId, folder === 0 ? null : source.file, workflow);
      else wrong.push({ file: source.file, error });
    }
    this.#tellWrong(tx, projectId, wrong);
    // While a file can't be read it can't be told which workflow it holds: nothing is withdrawn then.
    if (wrong.length > 0) return;
    for (const [key, { name }] of this.#inForce) {
      if (key === keyOf(projectId, name) && !byName.has(name)) withdrawWorkflow(tx, { projectId, name });
    }
  }

  #tellWrong(tx: Transaction, projectId: ProjectId | null, wrong: readonly { file: string; error: AppError }[]): void {
    const subject = projectId ?? "all";
    if (wrong.length === 0) {
      resolveAlerts(tx, "workflow_rejected", subject);
      return;
    }
    const message = wrong.map(({ error }) => error.message).join("\n");
    this.#log.warn("workflows were not accepted; their last good versions stay in force", { projectId, error: message });
    raiseAlert(tx, { kind: "workflow_rejected", subject, message, ...(projectId !== null && { projectId }) });
    for (const { file, error } of wrong)
      appendEvent(tx, { type: "workflow.rejected", projectId, data: { file, message: messageOf(error) } });
  }
}

/** What a task that begins now goes by; undefined: there is no such workflow any more, which its run will say. */
export function inForceNow(
  { workflows }: { readonly workflows: WorkflowLibrary },
  projectId: ProjectId,
  name: string,
): { readonly id: number; readonly stage: string; readonly stages: readonly string[] } | undefined {
  try {
    const { id, workflow } = workflows.inForce(projectId, name);
    const stages = workflow.stages.map((stage) => stage.name);
    return { id, stage: stages[0] ?? "", stages };
  } catch {
    return undefined;
  }
}

/** The stage of a workflow. Throws `invalid` when it has none of the name. */
export function stageOf(workflow: Workflow, name: string): Stage {
  const stage = workflow.stages.find((one) => one.name === name);
  if (stage) return stage;
  throw new AppError(
    "invalid",
    `The workflow ${workflow.name} has no stage ${name}. It has: ${workflow.stages.map((one) => one.name).join(", ")}.`,
  );
}

/** The stage after one; undefined: it is the last. */
export function stageAfter(workflow: Workflow, name: string): Stage | undefined {
  return workflow.stages[workflow.stages.findIndex((one) => one.name === name) + 1];
}

function keyOf(projectId: ProjectId | null, name: string): string {
  return `${projectId ?? ""} ${name}`;
}
