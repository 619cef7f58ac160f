import { AppError } from "../base/errors.ts";
import { safeLine } from "../base/text.ts";
import type { Project } from "../contract/project.ts";
import { taskRefs } from "./checkpoints.ts";
import { describeChanges } from "./collecting.ts";
import { remoteFailure, runRemote } from "./remote.ts";
import type { Repository } from "./repository.ts";
import type { GitCredentials } from "./workspaces.ts";

/** What somebody wants to be merged: from the commit where it left its base to its newest one. */
export interface ForeignChange {
  readonly baseCommit: string;
  readonly headCommit: string;
  /** Lines of `git diff --stat`, at most 50. */
  readonly files: readonly string[];
  /** As git prints it. */
  readonly diff: string;
}

/** The refs at the remote: of the change, and of what it is to be merged into. */
export interface ChangeRefs {
  readonly head: string;
  readonly base: string;
}

/** Full names only, and nothing that git would take for more than one ref. */
const REF = /^refs\/(?:heads|pull)\/(?!.*(?:\.\.|@\{|\/\/|\.lock(?:\/|$)))[^\s~^:?*[\\]+$/u;

/** Brings a change from the remote for a task that is to look at it. Throws `invalid` when there is no such ref, else as a fetch does. */
export async function takeInChange(
  repository: Repository,
  { project, credentials, taskId, refs }: { project: Project; credentials: GitCredentials; taskId: string; refs: ChangeRefs },
  signal: AbortSignal,
): Promise<ForeignChange> {
  for (const ref of [refs.head, refs.base])
    if (!REF.test(ref)) throw new AppError("invalid", `“${safeLine(ref)}” is no name of a branch or a pull request.`);
  const place = (ref: string) => `refs/drover/foreign/${ref.slice("refs/".length)}`;
  const refspecs = [...new Set([refs.head, refs.base])].map((ref) => `+${ref}:${place(ref)}`);
  const options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--update-shallow"];
  const call = { repository: repository.base, credentials, config: { "fetch.unpackLimit": "1" }, signal };
  const fetched = await runRemote(repository.git, ["fetch", ...options, "--", project.remote, ...refspecs], call, project.remote);
  if (fetched.exitCode !== 0) throw notFetched(project, credentials, refs, fetched.stderr);
  const commitOf = async (ref: string) =>
    (await repository.git.print(["rev-parse", "--verify", `${place(ref)}^{commit}`], { repository: repository.base })).trim();
  const [headCommit, tip] = [await commitOf(refs.head), await commitOf(refs.base)];
  const common = await repository.run(["merge-base", tip, headCommit]);
  await repository.setRef(`${taskRefs(taskId)}/change/base`, common.exitCode === 0 ? common.stdout.trim() : tip);
  await repository.setRef(`${taskRefs(taskId)}/change/head`, headCommit);
  return describe(repository, taskId);
}

/** The change as it was brought for the task; undefined: none was. */
export async function findChange(repository: Repository, taskId: string): Promise<ForeignChange | undefined> {
  const head = await repository.findCommit(`${taskRefs(taskId)}/change/head`);
  return head === undefined ? undefined : describe(repository, taskId);
}

async function describe(repository: Repository, taskId: string): Promise<ForeignChange> {
  const commitOf = async (name: string) => (await repository.print(["rev-parse", "--verify", `${taskRefs(taskId)}/change/${name}`])).trim();
  const [baseCommit, headCommit] = [await commitOf("base"), await commitOf("head")];
  const diff = await repository.print(["diff", "--no-color", "--no-ext-diff", "--no-textconv", baseCommit, headCommit]);
  return { baseCommit, headCommit, files: await describeChanges(repository, baseCommit, headCommit), diff };
}

function notFetched(project: Project, credentials: GitCredentials, { head, base }: ChangeRefs, stderr: string): AppError {
  const missing = /couldn't find remote ref (\S+)/.exec(stderr)?.[1];
  if (missing === undefined) return remoteFailure(`fetch ${head}`, project, credentials, stderr);
  const what = missing === base ? "what it would be merged into" : "the change";
  return new AppError("invalid", `The repository of ${project.name} (${project.remote}) has no ${safeLine(missing)}, ${what}.`);
}
