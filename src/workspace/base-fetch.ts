import { copyFile, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../base/errors.ts";
import type { Project } from "../contract/project.ts";
import { isBranchName } from "../domain/branch-name.ts";
import { look } from "./folders.ts";
import { remoteFailure, runRemote } from "./remote.ts";
import type { Repository } from "./repository.ts";
import type { GitCredentials } from "./workspaces.ts";

export const BASE_REF = "refs/drover/base";

/** Each fetch adds a pack; from this many on they are made one. */
const PACKS_MAX = 40;

/**
 * Brings the project's base branch from its remote and returns its commit. A branch that was rewritten there is simply the
 * new base. Tags, submodules and what LFS pointers point to are not fetched: a workspace has the pointers and empty folders.
 * Throws `invalid` for a remote that has no commit, no such branch, or that a person has to put right; `unavailable` when it did not answer.
 */
export async function fetchBaseBranch(
  repository: Repository,
  project: Project,
  credentials: GitCredentials,
  signal: AbortSignal,
): Promise<string> {
  if (!isBranchName(project.baseBranch)) {
    throw new AppError(
      "invalid",
      `“${project.baseBranch}”, the base branch of ${project.name}, is no name of a branch. Set defaults.baseBranch.`,
    );
  }
  const call = { repository: repository.base, credentials, config: { "fetch.unpackLimit": "1" }, signal };
  const refspec = `+refs/heads/${project.baseBranch}:${BASE_REF}`;
  const options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--update-shallow"];
  const fetched = await runRemote(repository.git, ["fetch", ...options, "--", project.remote, refspec], call, project.remote);
  if (fetched.exitCode !== 0) throw await fetchFailure(repository, project, credentials, fetched.stderr, signal);
  await takeOverShallow(repository);
  const commit = (await repository.git.print(["rev-parse", "--verify", `${BASE_REF}^{commit}`], { repository: repository.base })).trim();
  await repository.setRef(BASE_REF, commit);
  await mergePacks(repository);
  return commit;
}

/** Makes one pack of many, so that copying and looking up stay quick. Keeps what no ref leads to any more: work may build on it. */
function mergePacks(repository: Repository): Promise<void> {
  return repository.withPacks(async (folder) => {
    const packs = (await readdir(folder)).filter((name) => name.endsWith(".pack"));
    if (packs.length < PACKS_MAX) return;
    await repository.git.print(["repack", "-a", "-d", "--keep-unreachable", "--quiet"], { repository: repository.base });
  });
}

async function fetchFailure(
  repository: Repository,
  project: Project,
  credentials: GitCredentials,
  stderr: string,
  signal: AbortSignal,
): Promise<AppError> {
  if (!/couldn't find remote ref/.test(stderr)) return remoteFailure("fetch the base branch", project, credentials, stderr);
  const call = { repository: repository.base, credentials, signal };
  const heads = await runRemote(repository.git, ["ls-remote", "--heads", "--", project.remote], call, project.remote);
  if (heads.exitCode !== 0) return remoteFailure("list the branches", project, credentials, heads.stderr);
  if (heads.stdout === "") {
    return new AppError(
      "invalid",
      `The repository of ${project.name} (${project.remote}) has no commit yet. Push a first one to ${project.baseBranch}.`,
    );
  }
  const branches = heads.stdout.split("\n").flatMap((line) => line.split("\trefs/heads/")[1] ?? []);
  const some = branches.slice(0, 5).join(", ");
  return new AppError(
    "invalid",
    `The repository of ${project.name} (${project.remote}) has no branch ${project.baseBranch}; it has ${some}. Set defaults.baseBranch to one of its branches.`,
  );
}

/** Where a shallow remote's history is cut off is a fact of both repositories. */
async function takeOverShallow(repository: Repository): Promise<void> {
  const [from, to] = [repository.base, repository.directory].map((folder) => join(folder, "shallow")) as [string, string];
  if ((await look(from)) === undefined) return rm(to, { force: true });
  await copyFile(from, `${to}.new`);
  await rename(`${to}.new`, to);
}
