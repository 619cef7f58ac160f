import { AppError } from "../../base/errors.ts";
import type { ForgeProject, PullState, PullToMerge } from "../forge.ts";
import type { GithubClient } from "./client.ts";
import { MergeData, MergeMethodsData, PullDetailData } from "./responses.ts";

const PULL = "GET /repos/{owner}/{repo}/pulls/{pull_number}";

/** What GitHub's `mergeable_state` means for us (REST API version 2022-11-28). Any other one is one to wait for. */
const WAITING: Readonly<Record<string, string>> = {
  behind: "GitHub wants its branch to be up to date with the base first",
  blocked: "GitHub waits for required checks or reviews",
  draft: "it is a draft",
  unknown: "GitHub has not yet worked out whether it can be merged",
  unstable: "checks at GitHub have not passed",
};

export async function pullStateOf(client: GithubClient, target: ForgeProject, pull: PullToMerge, signal: AbortSignal): Promise<PullState> {
  const request = { route: PULL, parameters: { pull_number: pull.number }, answer: PullDetailData };
  const { data } = await client.send(target, request, signal);
  if (data.merged) return { state: "merged" };
  if (data.state === "closed") return { state: "closed" };
  if (data.head.sha !== pull.headCommit) return { state: "waiting", message: "GitHub does not show its newest commit yet" };
  const { mergeable_state: state } = data;
  if (state === "clean" || state === "has_hooks") return { state: "ready" };
  if (state === "dirty") return { state: "conflict", message: "GitHub finds a conflict with the base" };
  return { state: "waiting", message: WAITING[state] ?? `GitHub says that it is ${state}` };
}

/** In the first way that the repository allows: with a merge commit, by a rebase, squashed. */
export async function mergePullOf(client: GithubClient, target: ForgeProject, pull: PullToMerge, signal: AbortSignal): Promise<void> {
  const methods = (await client.send(target, { route: "GET /repos/{owner}/{repo}", answer: MergeMethodsData }, signal)).data;
  const method = methods.allow_merge_commit ? "merge" : methods.allow_rebase_merge ? "rebase" : "squash";
  const parameters = { pull_number: pull.number, sha: pull.headCommit, merge_method: method };
  const request = { route: "PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge", parameters, answer: MergeData };
  try {
    await client.send(target, request, signal);
  } catch (error) {
    throw isRefusal(error)
      ? new AppError("conflict", `GitHub does not merge pull request ${pull.number}: ${error.message}`, { cause: error })
      : error;
  }
}

/** 405: not allowed now. 409: its head is another commit. */
function isRefusal(error: unknown): error is AppError {
  return error instanceof AppError && (error.details["status"] === 405 || error.details["status"] === 409);
}
