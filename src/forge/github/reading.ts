import { z } from "zod";
import { AppError } from "../../base/errors.ts";
import {
  BrokerCheck,
  BrokerComment,
  BrokerFile,
  BrokerIssue,
  BrokerPull,
  BrokerPullFile,
  BrokerRepository,
  type BrokerAnswer,
  type BrokerQuery,
} from "../../contract/broker.ts";
import type { ForgeProject, Reading } from "../forge.ts";
import { PAGE_SIZE, type GithubClient, type GithubRequest } from "./client.ts";

/** Reads by one request, so of a list the first page. Throws as the client does, and `invalid` for what is no file that can be shown. */
export async function readGithub(
  client: GithubClient,
  target: ForgeProject,
  query: BrokerQuery,
  etag: string | null,
  signal: AbortSignal,
): Promise<Reading> {
  const answer = await client.sendIfChanged(target, requestOf(query), etag, signal);
  return answer === undefined ? { changed: false } : { changed: true, answer: answer.data, etag: answer.etag };
}

function requestOf(query: BrokerQuery): GithubRequest<BrokerAnswer> {
  const { call } = query;
  switch (call) {
    case "repository":
      return { route: "GET /repos/{owner}/{repo}", answer: BrokerRepository.transform((value) => ({ call, value })) };
    case "issue":
      return { ...numbered("issues/{number}", query), answer: OneIssue.transform((value) => ({ call, value })) };
    case "comments":
      return { ...numbered("issues/{number}/comments", query), answer: z.array(BrokerComment).transform((value) => ({ call, value })) };
    case "pull":
      return { ...numbered("pulls/{number}", query), answer: BrokerPull.transform((value) => ({ call, value })) };
    case "pull_files":
      return { ...numbered("pulls/{number}/files", query), answer: z.array(BrokerPullFile).transform((value) => ({ call, value })) };
    case "issues":
      return {
        route: "GET /repos/{owner}/{repo}/issues",
        // Pull requests are among them, and none of them counts.
        parameters: { state: query.state, per_page: PAGE_SIZE },
        answer: z.array(ListedIssue).transform((found) => ({ call, value: found.filter(isNoPull).slice(0, query.limit).map(withoutPull) })),
      };
    case "pulls":
      return {
        route: "GET /repos/{owner}/{repo}/pulls",
        parameters: { state: query.state, per_page: query.limit },
        answer: z.array(BrokerPull).transform((value) => ({ call, value })),
      };
    case "checks":
      return {
        route: "GET /repos/{owner}/{repo}/commits/{ref}/check-runs",
        parameters: { ref: `heads/${query.branch}`, per_page: PAGE_SIZE },
        answer: z.object({ check_runs: z.array(BrokerCheck) }).transform(({ check_runs: value }) => ({ call, value })),
      };
    case "file":
      return {
        route: "GET /repos/{owner}/{repo}/contents/{path}",
        parameters: { path: query.path, ...(query.ref !== null && { ref: query.ref }) },
        answer: Contents.transform((found) => ({ call, value: fileOf(query.path, found) })),
      };
  }
}

/** GitHub's description of its API allows for labels that are names alone. */
const OneIssue = BrokerIssue.extend({
  labels: z.array(z.union([z.string().transform((name) => ({ name })), z.object({ name: z.string() })])),
});
const ListedIssue = OneIssue.extend({ pull_request: z.unknown().optional() });
type ListedIssue = z.infer<typeof ListedIssue>;
/** A list is a folder; a file above 1 MB has another encoding, and no content. */
const Contents = z.union([BrokerFile, z.array(z.unknown()), z.object({ encoding: z.string() }), z.object({ type: z.string() })]);

function numbered(path: string, { number }: { readonly number: number }): Omit<GithubRequest<never>, "answer"> {
  const isList = path.endsWith("s");
  return { route: `GET /repos/{owner}/{repo}/${path}`, parameters: { number, ...(isList && { per_page: PAGE_SIZE }) } };
}

function isNoPull({ pull_request: pull }: ListedIssue): boolean {
  return pull === undefined || pull === null;
}

function withoutPull({ pull_request: _pull, ...issue }: ListedIssue): BrokerIssue {
  return issue;
}

function fileOf(path: string, found: z.infer<typeof Contents>): BrokerFile {
  if ("content" in found) return found;
  const what = Array.isArray(found) ? "is a folder" : "is no file of at most 1 MB";
  throw new AppError("invalid", `${path} ${what}. The whole repository is in the workspace: look there.`);
}
