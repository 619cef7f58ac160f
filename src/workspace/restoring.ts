import { mkdir } from "node:fs/promises";
import { dirname, isAbsolute } from "node:path";
import { AppError } from "../base/errors.ts";
import { removeFolder } from "./folders.ts";
import type { Repository } from "./repository.ts";

export interface RestoreRequest {
  readonly to: string;
  readonly commit: string;
  readonly branch: string;
  /** Becomes `origin`. */
  readonly remote: string;
}

/** Writes saved work to a new folder: a repository of the person's own, on the branch, with nothing tied to ours. Throws `conflict` when the folder exists. */
export async function restoreWork(repository: Repository, { to, commit, branch, remote }: RestoreRequest): Promise<void> {
  if (!isAbsolute(to)) throw new AppError("invalid", `${to} is no absolute path.`);
  await mkdir(dirname(to), { recursive: true });
  await makeFolder(to);
  try {
    const { git } = repository;
    const call = { repository: `${to}/.git`, workTree: to };
    await git.print(["init", "--quiet", "--template=", `--initial-branch=${branch}`, "--", to], {});
    const options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--update-head-ok", "--update-shallow"];
    await git.print(["fetch", ...options, "--", repository.directory, `${commit}:refs/heads/${branch}`], call);
    await git.print(["reset", "--hard", "--quiet"], call);
    await git.print(["remote", "add", "--", "origin", remote], call);
  } catch (error) {
    await removeFolder(to);
    throw error;
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    throw new AppError("conflict", `${path} exists already. Name a folder that does not.`, { cause: error });
  }
}
