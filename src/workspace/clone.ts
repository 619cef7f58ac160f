import { constants, copyFile, mkdir, readdir, rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { look, removeFolder } from "./folders.ts";
import { indexPath } from "./records.ts";
import type { Repository } from "./repository.ts";
import { copyIndex } from "./snapshot.ts";

export interface CloneRequest {
  /** Where it goes; it appears there at once and whole. */
  readonly directory: string;
  readonly commit: string;
  /** `refs/remotes/origin/BASE` is set to the commit, so that an agent can compare with it. */
  readonly baseBranch: string;
  /** The branch it is on; null: on none. */
  readonly branch: string | null;
  /** What the branch and the files are to be, where that is not the commit: `work` stands on `head` and is not committed. */
  readonly moved?: { readonly head: string; readonly work: string } | undefined;
  readonly signal: AbortSignal;
}

/** As many writers as processors; and no waiting for the disk, for all of it is a copy. */
const COPY = { "checkout.workers": "0", "core.fsync": "none" };
const PACK_FILE = /^(pack-[0-9a-f]+)\.(?:pack|idx|rev)$/;

/**
 * Makes a working repository of its own at a commit of the base: its objects are copies, its remote leads nowhere, it has no hooks and
 * none of the person's settings, so nothing that is done in it reaches another repository. It is made beside its place and
 * moved there, and the first index to compare its files with is kept before anybody else can touch them.
 */
export async function makeClone(
  repository: Repository,
  { directory, commit, baseBranch, branch, moved, signal }: CloneRequest,
): Promise<void> {
  const making = join(dirname(directory), `${MAKING}${basename(directory)}`);
  await removeFolder(making);
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 });
  const { git } = repository;
  await git.print(["init", "--quiet", `--template=${repository.template}`, `--initial-branch=${branch ?? "none"}`, "--", making], {
    signal,
  });
  const gitDirectory = join(making, ".git");
  await copyObjects(repository, gitDirectory);
  for (const one of moved ? [commit, moved.work] : [commit]) await bringCommit(repository, gitDirectory, one, signal);
  const head = moved?.head ?? commit;
  const refs = [
    `update refs/remotes/origin/${baseBranch} ${commit}`,
    branch === null ? `option no-deref\nupdate HEAD ${head}` : `update refs/heads/${branch} ${head}`,
  ];
  await git.print(["update-ref", "--stdin"], { repository: gitDirectory, input: `${refs.join("\n")}\n`, config: COPY, signal });
  const call = { repository: gitDirectory, workTree: making, config: COPY, signal };
  await git.print(["reset", "--hard", "--quiet"], call);
  if (moved && moved.work !== head) {
    await git.print(["read-tree", "-m", "-u", head, moved.work], call);
    await git.print(["reset", "--mixed", "--quiet"], call);
  }
  await copyIndex(join(gitDirectory, "index"), indexPath(repository, basename(directory)));
  await rename(making, directory);
}

/** What a folder is called while its clone is being made. */
export const MAKING = ".making-";

/** What the base does not have: work of ours, which only this workspace needs. */
async function bringCommit(repository: Repository, gitDirectory: string, commit: string, signal: AbortSignal): Promise<void> {
  const call = { repository: gitDirectory, config: COPY, signal };
  if ((await repository.git.run(["cat-file", "-e", `${commit}^{commit}`], call)).exitCode === 0) return;
  const options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--update-shallow"];
  await repository.git.print(["fetch", ...options, "--", repository.directory, commit], call);
}

/** Copies, not hard links: what an agent does to its files must not reach ours. A file system that can shares the blocks until one is changed. */
async function copyObjects(repository: Repository, gitDirectory: string): Promise<void> {
  await repository.withPacks(async (from) => {
    const names = await readdir(from);
    const complete = new Set(names.flatMap((name) => (name.endsWith(".idx") ? [name.slice(0, -".idx".length)] : [])));
    for (const name of names) {
      if (!complete.has(PACK_FILE.exec(name)?.[1] ?? "")) continue;
      await copyFile(join(from, name), join(gitDirectory, "objects", "pack", name), constants.COPYFILE_FICLONE);
    }
  });
  const shallow = join(repository.base, "shallow");
  if (await look(shallow)) await copyFile(shallow, join(gitDirectory, "shallow"));
}
