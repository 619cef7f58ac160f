import { AppError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { ProjectId } from "../contract/ids.ts";
import type { ForgeKind, Project } from "../contract/project.ts";
import { appendEvent } from "./events.ts";
import type { Reader, Transaction } from "./database.ts";

export type NewProject = Omit<Project, "id" | "registeredAt" | "polledAt" | "lastError">;
export type ProjectChange = Partial<Pick<Project, "priority" | "weight" | "enabled" | "baseBranch" | "remote">>;

/** Throws `conflict` when a registered project has this name or path. */
export function insertProject(tx: Transaction, project: NewProject): Project {
  refuseTwins(tx, project);
  const { name, path, forge, repository, remote, baseBranch, priority, weight, enabled } = project;
  const id = newId("project");
  tx.run(
    `INSERT INTO projects (id, name, path, forge, repository, remote, base_branch, priority, weight, enabled, registered_at, virtual_time, last_number)
     VALUES (:id, :name, :path, :forge, :repository, :remote, :baseBranch, :priority, :weight, :enabled, :now,
       0, (SELECT coalesce(max(last_number), 0) FROM projects WHERE name = :name))`,
    { id, name, path, forge, repository, remote, baseBranch, priority, weight, enabled: Number(enabled), now: tx.now },
  );
  appendEvent(tx, { type: "project.registered", projectId: id, data: { name } });
  return getProject(tx, id);
}

export function changeProject(tx: Transaction, id: ProjectId, change: ProjectChange): Project {
  const before = getProject(tx, id);
  const after: Project = { ...before, ...change };
  const changed = (["priority", "weight", "enabled", "baseBranch", "remote"] as const).filter((field) => before[field] !== after[field]);
  if (changed.length === 0) return before;
  const { priority, weight, enabled, baseBranch, remote } = after;
  tx.run(
    "UPDATE projects SET priority = :priority, weight = :weight, enabled = :enabled, base_branch = :baseBranch, remote = :remote WHERE id = :id",
    { id, priority, weight, enabled: Number(enabled), baseBranch, remote },
  );
  appendEvent(tx, { type: "project.changed", projectId: id, data: { name: before.name, changed } });
  return getProject(tx, id);
}

/**
 * Forgets a project. Its row and its tasks stay as history; its open tasks are cancelled, a running one by its runner.
 * The same path, and the same name, may be registered again.
 */
export function removeProject(tx: Transaction, id: ProjectId): Project {
  const { name } = getProject(tx, id);
  const { changes } = tx.run("UPDATE projects SET unregistered_at = :now, enabled = 0 WHERE id = :id AND unregistered_at IS NULL", {
    id,
    now: tx.now,
  });
  if (changes === 0) throw new AppError("not_found", `Project ${name} is not registered any more.`);
  const message = "The project was unregistered.";
  tx.run(
    `UPDATE tasks SET status = 'cancelled', reason = 'user', message = :message
     WHERE project_id = :id AND status IN ('draft', 'queued', 'waiting', 'blocked')`,
    { id, message },
  );
  tx.run("UPDATE tasks SET cancel_by = 'user', cancel_message = :message WHERE project_id = :id AND status = 'running'", { id, message });
  appendEvent(tx, { type: "project.unregistered", projectId: id, data: { name } });
  return getProject(tx, id);
}

/** A registered project by its name, or any by its id. */
export function findProject(reader: Reader, nameOrId: string): Project | undefined {
  const row = reader.get<ProjectRow>("SELECT * FROM projects WHERE id = :nameOrId OR (name = :nameOrId AND unregistered_at IS NULL)", {
    nameOrId,
  });
  return row && toProject(row);
}

/** By its id, an unregistered one too. Throws `not_found`. */
export function getProject(reader: Reader, id: ProjectId): Project {
  const row = reader.get<ProjectRow>("SELECT * FROM projects WHERE id = :id", { id });
  if (!row) throw new AppError("not_found", `There is no project ${id}.`);
  return toProject(row);
}

/** The registered projects by name; `after`: the name of the last one of the page before. */
export function listProjects(
  reader: Reader,
  { after = "", limit = -1 }: { after?: string | undefined; limit?: number | undefined } = {},
): Project[] {
  return reader
    .all<ProjectRow>("SELECT * FROM projects WHERE unregistered_at IS NULL AND name > :after ORDER BY name LIMIT :limit", { after, limit })
    .map(toProject);
}

/** Those that were registered once, the latest first. */
export function listUnregistered(reader: Reader): Project[] {
  return reader
    .all<ProjectRow>("SELECT * FROM projects WHERE unregistered_at IS NOT NULL ORDER BY unregistered_at DESC, id DESC")
    .map(toProject);
}

export function countProjects(reader: Reader): number {
  return reader.get<{ count: number }>("SELECT count(*) AS count FROM projects WHERE unregistered_at IS NULL")?.count ?? 0;
}

/** Notes how a look at the forge went. Events tell only of a change: it fails now, it works again. */
export function recordPoll(tx: Transaction, id: ProjectId, result: { ok: true } | { ok: false; message: string }): void {
  const { lastError } = getProject(tx, id);
  if (result.ok) {
    tx.run("UPDATE projects SET polled_at = :now, last_error = NULL WHERE id = :id", { id, now: tx.now });
    if (lastError !== null) appendEvent(tx, { type: "project.poll_recovered", projectId: id, data: {} });
  } else {
    const { message } = result;
    tx.run("UPDATE projects SET last_error = :message WHERE id = :id", { id, message });
    if (lastError === null) appendEvent(tx, { type: "project.poll_failed", projectId: id, data: { message } });
  }
}

function refuseTwins(reader: Reader, { name, path }: NewProject): void {
  const twin = reader.get<{ name: string; path: string }>(
    "SELECT name, path FROM projects WHERE unregistered_at IS NULL AND (name = :name OR path = :path) ORDER BY path <> :path LIMIT 1",
    { name, path },
  );
  if (!twin) return;
  throw twin.path === path
    ? new AppError("conflict", `${path} is registered already, as ${twin.name}.`, { name: twin.name })
    : new AppError("conflict", `The name ${name} is taken by ${twin.path}. Give another one.`, { path: twin.path });
}

interface ProjectRow {
  id: ProjectId;
  name: string;
  path: string;
  forge: ForgeKind;
  repository: string | null;
  remote: string;
  base_branch: string;
  priority: number;
  weight: number;
  enabled: number;
  registered_at: number;
  polled_at: number | null;
  last_error: string | null;
}

function toProject(row: ProjectRow): Project {
  return {
    id: row.id,
    name: row.name,
    path: row.path,
    forge: row.forge,
    repository: row.repository,
    remote: row.remote,
    baseBranch: row.base_branch,
    priority: row.priority,
    weight: row.weight,
    enabled: row.enabled === 1,
    registeredAt: row.registered_at,
    polledAt: row.polled_at,
    lastError: row.last_error,
  };
}
