import { AppError } from "../base/errors.ts";
import { safeLine } from "../base/text.ts";
import type { Project } from "../contract/project.ts";
import { isBranchName } from "../domain/branch-name.ts";
import { remoteFailure, runRemote } from "./remote.ts";
import type { Repository } from "./repository.ts";
import type { GitCredentials } from "./workspaces.ts";

export interface PushRequest {
  readonly project: Project;
  readonly credentials: GitCredentials;
  readonly branch: string;
  readonly commit: string;
}

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
  const pushedRef = `refs/drover/pushed/${branch}`;
  const pushingRef = `refs/drover/pushing/${branch}`;
  const expected = await lastPushed(repository, request, { pushedRef, pushingRef }, signal);
  await repository.setRef(pushingRef, commit);

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
  await repository.setRef(pushedRef, commit);
}

/** What we last pushed; empty: nothing. A push whose end we did not live to see counts if the remote has it. */
async function lastPushed(
  repository: Repository,
  request: PushRequest,
  { pushedRef, pushingRef }: { pushedRef: string; pushingRef: string },
  signal: AbortSignal,
): Promise<string> {
  const pushed = await repository.findCommit(pushedRef);
  const pushing = await repository.findCommit(pushingRef);
  if (pushing === undefined || pushing === pushed) return pushed ?? "";
  const there = await commitAtRemote(repository, request, signal);
  if (there !== pushing) return pushed ?? "";
  await repository.setRef(pushedRef, pushing);
  return pushing;
}

async function tryPush(
  repository: Repository,
  { project, credentials, branch, commit }: PushRequest,
  expected: string,
  signal: AbortSignal,
): Promise<Answer> {
  const lease = `--force-with-lease=refs/heads/${branch}:${expected}`;
  const args = [
    "push",
    "--porcelain",
    "--no-verify",
    "--recurse-submodules=no",
    lease,
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
async function commitAtRemote(repository: Repository, { project, credentials, branch }: PushRequest, signal: AbortSignal): Promise<string> {
  const call = { repository: repository.directory, credentials, signal };
  const listed = await runRemote(repository.git, ["ls-remote", "--", project.remote, `refs/heads/${branch}`], call, project.remote);
  if (listed.exitCode !== 0) throw remoteFailure(`look up ${branch}`, project, credentials, listed.stderr);
  return listed.stdout.split("\t")[0] ?? "";
}
