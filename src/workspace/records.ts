import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { AppError } from "../base/errors.ts";
import { readIfThere } from "../process/held-folder.ts";
import type { Repository } from "./repository.ts";

/**
 * What we know of a workspace that we made. Written before its folder appears, kept where no sandboxed agent can reach,
 * and forgotten after its folder is gone: so a folder without one is not ours.
 */
const WorkspaceRecord = z.object({
  /** The folder's name. */
  folder: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  /** Null: a clean tree of the base, which holds nobody's work. */
  taskId: z.string().nullable(),
  baseCommit: z.string(),
  /** The person's files copied into it, and the SHA-256 (hex) of each as it was: they are not the task's work. */
  copied: z.record(z.string(), z.string()),
  /** The base that its work was moved from; null: it was not. */
  movedFrom: z.string().nullable().default(null),
  /** Files that had both sides of a conflict in them when it was made. */
  conflicts: z.array(z.string()).default([]),
  /** What else the agent must know of the move. */
  note: z.string().nullable().default(null),
  /** The key of the set-up that a base's tree has; null: none yet. A task's set-up is its run's matter. */
  readyFor: z.string().nullable(),
});
export type WorkspaceRecord = z.infer<typeof WorkspaceRecord>;

export async function listRecords(repository: Repository): Promise<WorkspaceRecord[]> {
  const names = (await readdir(repository.records)).filter((name) => name.endsWith(".json"));
  const records = await Promise.all(names.map((name) => readRecord(join(repository.records, name))));
  return records.filter((record) => record !== undefined);
}

export async function findRecord(
  repository: Repository,
  matches: (record: WorkspaceRecord) => boolean,
): Promise<WorkspaceRecord | undefined> {
  return (await listRecords(repository)).find(matches);
}

export async function saveRecord(repository: Repository, record: WorkspaceRecord): Promise<void> {
  const path = recordPath(repository, record.folder);
  await writeFile(`${path}.new`, JSON.stringify(record), { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
}

export async function forgetRecord(repository: Repository, { folder }: WorkspaceRecord): Promise<void> {
  await rm(indexPath(repository, folder), { force: true });
  await rm(recordPath(repository, folder), { force: true });
}

/** The index we compare a workspace's files with. */
export function indexPath(repository: Repository, folder: string): string {
  return join(repository.records, `${folder}.index`);
}

function recordPath(repository: Repository, folder: string): string {
  return join(repository.records, `${folder}.json`);
}

/** Undefined: another task's has been forgotten since its name was read. */
async function readRecord(path: string): Promise<WorkspaceRecord | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  const parsed = WorkspaceRecord.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new AppError("internal", `${path} is no record of a workspace. It was changed by hand, or written by a newer version of Drover.`, {
    issues: parsed.error.issues,
  });
}
