import { isAbsolute } from "node:path";
import { AppError } from "../base/errors.ts";
import { safeLine } from "../base/text.ts";
import type { Project } from "../contract/project.ts";
import { isBranchName } from "../domain/branch-name.ts";
import { remoteFailure, runRemote } from "./remote.ts";
import type { BranchSight } from "./branches.ts";
import type { Repository } from "./repository.ts";
import type { GitCredentials } from "./workspaces.ts";

export interface PushRequest {
  readonly project: Project;
  readonly credentials: GitCredentials;
  readonly branch: string;
  readonly commit: string;
}

/** A branch of the project's remote. */
type RemoteBranch = Pick<PushRequest, "project" | "credentials" | "branch">;

/** Refusals that say nothing of the push: the remote itself is in trouble. */
const PASSING = /\[remote failure\]|Internal Server Error|unpacker error|cannot lock ref|failed to update ref/;

type Answer = { readonly pushed: true } | { readonly pushed: false; readonly isStale: boolean; readonly why: string };

/**
 * Pushes a commit of ours to a branch of the remote, on the condition that the branch is as we left it
 * (`refs/drover/pushed/BRANCH`) or is not there. Throws `conflict` and changes nothing when somebody else has moved it, or
 * when the remote declines it.
 */
export async function pushBranch(repository: Repository, request: PushRequest, signal: AbortSignal): Promise<void> {
  const { project, branch, commit } = request;
  if (!isBranchName(branch)) throw new AppError("invalid", `“${safeLine(branch)}” is no name of a branch.`);
  if ((await repository.findCommit(commit)) === undefined)
    throw new AppError("not_found", `${commit} is no commit of ours in ${project.name}.`);
  const expected = await lastPushed(repository, request, signal);
  await repository.setRef(pushingRef(branch), commit);

  let answer = await tryPush(repository, request, expected, signal);
  if (!answer.pushed && answer.isStale) {
    const there = await commitAtRemote(repository, request, signal);
    if (there !== "") {
      throw new AppError(
        "conflict",
        `${branch} of ${project.name} was moved by somebody else (to ${there.slice(0, 12)}), so nothing was pushed. Take over what is there, or delete the branch.`,
      );
    }
    // Somebody deleted it: nothing is there that a push could overwrite.
    answer = await tryPush(repository, request, "", signal);
  }
  if (!answer.pushed) throw new AppError("conflict", `The remote of ${project.name} declined ${branch}: ${answer.why}.`);
  await repository.setRef(pushedRef(branch), commit);
}

/** Whether the branch at the remote is as we left it. */
export async function lookAtBranch(repository: Repository, branch: RemoteBranch, signal: AbortSignal): Promise<BranchSight> {
  const expected = await lastPushed(repository, branch, signal);
  const there = await commitAtRemote(repository, branch, signal);
  if (there === "") return { state: "gone" };
  return there === expected ? { state: "ours", commit: there } : { state: "foreign" };
}

/**
 * Moves the project's base branch from one commit to one that builds on it. Throws `conflict` and changes nothing when it is not
 * at `from` any more, or when the remote declines, as it does for a branch that is checked out there.
 */
export async function advanceBranch(
  repository: Repository,
  { project, credentials, from, to }: Pick<PushRequest, "project" | "credentials"> & { from: string; to: string },
  signal: AbortSignal,
): Promise<void> {
  const request = { project, credentials, branch: project.baseBranch, commit: to };
  // Whatever a person's repository is set to: it would write to the files that they work on.
  const refusing = isAbsolute(project.remote) ? ["--receive-pack=git -c receive.denyCurrentBranch=refuse receive-pack"] : [];
  const answer = await tryPush(repository, request, from, signal, refusing);
  if (answer.pushed) return;
  const what = answer.isStale ? "it has moved meanwhile" : answer.why;
  throw new AppError("conflict", `${project.baseBranch} of ${project.name} was left as it is: ${what}.`, { isStale: answer.isStale });
}

function pushedRef(branch: string): string {
  return `refs/drover/pushed/${branch}`;
}

function pushingRef(branch: string): string {
  return `refs/drover/pushing/${branch}`;
}

/** What we last pushed; empty: nothing. A push whose end we did not live to see counts if the remote has it. */
async function lastPushed(repository: Repository, request: RemoteBranch, signal: AbortSignal): Promise<string> {
  const pushed = await repository.findCommit(pushedRef(request.branch));
  const pushing = await repository.findCommit(pushingRef(request.branch));
  if (pushing === undefined || pushing === pushed) return pushed ?? "";
  const there = await commitAtRemote(repository, request, signal);
  if (there !== pushing) return pushed ?? "";
  await repository.setRef(pushedRef(request.branch), pushing);
  return pushing;
}

async function tryPush(
  repository: Repository,
  { project, credentials, branch, commit }: PushRequest,
  expected: string,
  signal: AbortSignal,
  options: readonly string[] = [],
): Promise<Answer> {
  const lease = `--force-with-lease=refs/heads/${branch}:${expected}`;
  const args = [
    "push",
    "--porcelain",
    "--no-verify",
    "--recurse-submodules=no",
    lease,
    ...options,
    "--",
    project.remote,
    `${commit}:refs/heads/${branch}`,
  ];
  const call = { repository: repository.directory, credentials, signal };
  const { exitCode, stdout, stderr } = await runRemote(repository.git, args, call, project.remote);
  if (exitCode === 0) return { pushed: true };
  // A line of --porcelain: flag, from:to, summary with the reason in brackets.
  const refused = /^!\t[^\t]*\t(.*)$/m.exec(stdout)?.[1];
  if (refused === undefined || PASSING.test(refused)) throw remoteFailure(`push ${branch}`, project, credentials, stderr);
  return { pushed: false, isStale: refused.includes("stale info"), why: explainRefusal(refused, stderr) };
}

function explainRefusal(refused: string, stderr: string): string {
  if (refused.includes("currently checked out")) return "it is checked out there. Check out another branch in that repository";
  const said = stderr
    .split("\n")
    .filter((line) => line.startsWith("remote: "))
    .map((line) => line.slice("remote: ".length));
  return safeLine([refused, ...said].join(" "), 500);
}

/** What the branch is at the remote; empty: it is not there. */
async function commitAtRemote(
  repository: Repository,
  { project, credentials, branch }: RemoteBranch,
  signal: AbortSignal,
): Promise<string> {
  const call = { repository: repository.directory, credentials, signal };
  const listed = await runRemote(repository.git, ["ls-remote", "--", project.remote, `refs/heads/${branch}`], call, project.remote);
  if (listed.exitCode !== 0) throw remoteFailure(`look up ${branch}`, project, credentials, listed.stderr);
  return listed.stdout.split("\t")[0] ?? "";
}
