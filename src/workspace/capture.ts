import { createHash } from "node:crypto";
import { join } from "node:path";
import { AppError, messageOf } from "../base/errors.ts";
import { keepCommits, trackedBy } from "./agent-commits.ts";
import { openAgentRepository, type AgentRepository } from "./agent-repository.ts";
import { lookInside, openPlainFile } from "./folders.ts";
import { indexPath, type WorkspaceRecord } from "./records.ts";
import type { Repository } from "./repository.ts";
import { takeSnapshot } from "./snapshot.ts";

/** What a workspace holds, all of it in our repository now; the agent's commits already behind refs of ours. */
export interface Capture {
  readonly tree: string;
  /** The commit that the agent's HEAD names; null: none, or it could not be saved. */
  readonly head: string | null;
  /** Folders in it that are repositories of their own; their files are in the tree. */
  readonly repositories: string[];
  /** What could not be saved, for people. */
  readonly problems: string[];
}

export interface CaptureRequest {
  readonly directory: string;
  readonly record: WorkspaceRecord;
  /** `refs/drover/tasks/TASK` */
  readonly refs: string;
}

/** Takes over everything in a workspace: its files, and what its repositories name. Saves as much as can be saved. */
export async function capture(repository: Repository, { directory, record, refs }: CaptureRequest): Promise<Capture> {
  return repository.withScratch(async (scratch) => {
    const problems: string[] = [];
    const read = (folder: string, name: string) =>
      attempt(problems, () => openAgentRepository(repository, { root: directory, folder, scratch: join(scratch, name) }));

    const agent = await read(directory, "workspace");
    const snapshot = await takeSnapshot(repository, {
      directory,
      index: indexPath(repository, record.folder),
      baseCommit: record.baseCommit,
      tracked: (agent && (await attempt(problems, () => trackedBy(repository, agent)))) ?? [],
      leaveOut: (await attempt(problems, () => unchangedCopies(directory, record))) ?? [],
    });
    problems.push(...snapshot.problems);

    const keep = (one: AgentRepository | undefined) =>
      attempt(problems, async () => {
        if (one) await keepCommits(repository, one, { refs, baseCommit: record.baseCommit, tree: snapshot.tree });
        return one?.head?.commit;
      });
    const head = (await keep(agent)) ?? null;
    for (const [i, folder] of snapshot.repositories.entries()) await keep(await read(join(directory, folder), `nested-${i}`));

    return { tree: snapshot.tree, head, repositories: snapshot.repositories, problems };
  });
}

/** The person's files that were copied in and are as they were. */
async function unchangedCopies(directory: string, { copied }: WorkspaceRecord): Promise<string[]> {
  const unchanged: string[] = [];
  for (const [path, digest] of Object.entries(copied)) {
    const found = await lookInside(directory, path);
    if (found?.isFile() && (await digestOf(join(directory, path))) === digest) unchanged.push(path);
  }
  return unchanged;
}

/** SHA-256 (hex) of a file. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of (await openPlainFile(path)).createReadStream()) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

async function attempt<Result>(problems: string[], work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && error.code === "unavailable") throw error;
    // The rest is saved all the same; whoever asked for the capture is told of the problem and removes nothing.
    problems.push(messageOf(error));
    return undefined;
  }
}
