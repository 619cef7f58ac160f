import { createHash } from "node:crypto";
import type { ProjectId, TaskId } from "../contract/ids.ts";
import { Workflow, type WorkflowVersion } from "../contract/workflow.ts";
import { appendEvent } from "./events.ts";
import type { Reader, Transaction } from "./database.ts";

/** A version with the number of its row, by which tasks name it. */
export interface StoredWorkflow extends WorkflowVersion {
  readonly id: number;
  /** Null: it holds for all projects. */
  readonly projectId: ProjectId | null;
}

/** Where a workflow holds: in a project, or (null) in all that have none of the name themselves. */
export interface WorkflowPlace {
  readonly projectId: ProjectId | null;
  readonly name: string;
}

/**
 * Puts a workflow in force for new tasks, as a new version where it differs from the one that is; what a person went back
 * from is not taken again until it is another. False: nothing changed.
 */
export function acceptWorkflow(tx: Transaction, projectId: ProjectId | null, file: string | null, workflow: Workflow): boolean {
  const place = { projectId: projectId ?? "", name: workflow.name };
  const definition = JSON.stringify(workflow);
  const hash = createHash("sha256").update(definition).digest("hex");
  const current = tx.get<{ content_hash: string; refused_hash: string | null }>(
    `SELECT content_hash, refused_hash FROM workflows_in_force JOIN workflows ON workflows.id = workflow_id
     WHERE workflows_in_force.project_id = :projectId AND workflows_in_force.name = :name`,
    place,
  );
  if (current?.content_hash === hash || current?.refused_hash === hash) return false;
  // One that was withdrawn and is there again is the version that it was.
  const newest = tx.get<{ id: number; version: number; content_hash: string }>(
    "SELECT id, version, content_hash FROM workflows WHERE project_id = :projectId AND name = :name ORDER BY version DESC LIMIT 1",
    place,
  );
  const isKnown = newest !== undefined && newest.content_hash === hash;
  const version = isKnown ? newest.version : (newest?.version ?? 0) + 1;
  const id = isKnown
    ? newest.id
    : tx.run(
        `INSERT INTO workflows (project_id, name, version, file, definition, content_hash, accepted_at)
         VALUES (:projectId, :name, :version, :file, :definition, :hash, :now)`,
        { ...place, version, file, definition, hash, now: tx.now },
      ).lastRow;
  putInForce(tx, place, id, null);
  appendEvent(tx, { type: "workflow.accepted", projectId, data: { name: workflow.name, version } });
  return true;
}

/** Its file is gone: new tasks no longer get it. */
export function withdrawWorkflow(tx: Transaction, { projectId, name }: WorkflowPlace): void {
  const { changes } = tx.run("DELETE FROM workflows_in_force WHERE project_id = :projectId AND name = :name", {
    projectId: projectId ?? "",
    name,
  });
  if (changes > 0) appendEvent(tx, { type: "workflow.withdrawn", projectId, data: { name } });
}

/** Puts an earlier version in force again. What its file holds now is not taken again until that changes. */
export function rollBackWorkflow(tx: Transaction, { projectId, name }: WorkflowPlace, to: StoredWorkflow): void {
  const place = { projectId: projectId ?? "", name };
  const refused = tx.get<{ content_hash: string; refused_hash: string | null }>(
    `SELECT content_hash, refused_hash FROM workflows_in_force JOIN workflows ON workflows.id = workflow_id
     WHERE workflows_in_force.project_id = :projectId AND workflows_in_force.name = :name`,
    place,
  );
  putInForce(tx, place, to.id, refused?.refused_hash ?? refused?.content_hash ?? null);
  appendEvent(tx, { type: "workflow.rolled_back", projectId, data: { name, version: to.version } });
}

/** The version that a task began with, by the number of its row; null: it has not begun. */
export function workflowIdOf(reader: Reader, taskId: TaskId): number | null {
  return reader.get<{ workflow_id: number | null }>("SELECT workflow_id FROM tasks WHERE id = :taskId", { taskId })?.workflow_id ?? null;
}

/** By the number of its row. */
export function findWorkflow(reader: Reader, id: number): StoredWorkflow | undefined {
  return reader.all<Row>(`${SELECT} WHERE workflows.id = :id`, { id }).map(toStored)[0];
}

/** What is in force in a place and name, or in all places. */
export function workflowsInForce(reader: Reader): StoredWorkflow[] {
  return reader.all<Row>(`${SELECT} WHERE in_force.workflow_id = workflows.id ORDER BY workflows.name, workflows.project_id`).map(toStored);
}

/** The versions of a workflow, the newest first. */
export function listVersions(reader: Reader, { projectId, name }: WorkflowPlace, limit: number): StoredWorkflow[] {
  return reader
    .all<Row>(`${SELECT} WHERE workflows.project_id = :projectId AND workflows.name = :name ORDER BY version DESC LIMIT :limit`, {
      projectId: projectId ?? "",
      name,
      limit,
    })
    .map(toStored);
}

function putInForce(tx: Transaction, place: { projectId: string; name: string }, workflowId: number, refusedHash: string | null): void {
  tx.run(
    `INSERT INTO workflows_in_force (project_id, name, workflow_id, refused_hash) VALUES (:projectId, :name, :workflowId, :refusedHash)
     ON CONFLICT DO UPDATE SET workflow_id = :workflowId, refused_hash = :refusedHash`,
    { ...place, workflowId, refusedHash },
  );
}

const SELECT = `SELECT workflows.*, projects.name AS project, in_force.workflow_id IS workflows.id AS is_in_force FROM workflows
  LEFT JOIN projects ON projects.id = workflows.project_id
  LEFT JOIN workflows_in_force AS in_force ON in_force.project_id = workflows.project_id AND in_force.name = workflows.name`;

interface Row {
  id: number;
  project_id: ProjectId | "";
  project: string | null;
  name: string;
  version: number;
  file: string | null;
  definition: string;
  accepted_at: number;
  is_in_force: number;
}

function toStored(row: Row): StoredWorkflow {
  return {
    id: row.id,
    projectId: row.project_id === "" ? null : row.project_id,
    project: row.project,
    name: row.name,
    version: row.version,
    file: row.file,
    // A version that an earlier Drover accepted lacks what came later.
    workflow: Workflow.parse(JSON.parse(row.definition)),
    acceptedAt: row.accepted_at,
    inForce: row.is_in_force === 1,
  };
}
