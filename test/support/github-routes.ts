import type { DoubleComment, DoubleIssue, DoubleRepository } from "./github-repository.ts";
import { git } from "./git-http.ts";

export interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Record<string, unknown>;
  /** Whose token it carries. */
  readonly login: string;
  /** For links: the address of the API. */
  readonly base: string;
  readonly repository: DoubleRepository;
}

export interface RestReply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

type Handler = (request: RestRequest, ...parts: string[]) => RestReply | Promise<RestReply>;

/** The part of GitHub's REST API (version 2022-11-28) that Drover uses. The pattern is of what comes behind `/repos/{owner}/{repo}`. */
const routes: readonly (readonly [method: string, pattern: RegExp, handler: Handler])[] = [
  ["GET", /^$/, repositoryOf],
  ["GET", /^\/issues$/, listIssues],
  ["GET", /^\/issues\/(\d+)$/, (request, number) => withIssue(request, number, (issue) => ok(issueJson(request, issue)))],
  [
    "GET",
    /^\/issues\/(\d+)\/comments$/,
    (request, number) =>
      withIssue(request, number, (issue) =>
        paged(
          request,
          issue.comments.map((one) => commentJson(request, issue, one)),
        ),
      ),
  ],
  ["POST", /^\/issues\/(\d+)\/comments$/, (request, number) => withIssue(request, number, (issue) => addComment(request, issue))],
  ["PATCH", /^\/issues\/comments\/(\d+)$/, editComment],
  [
    "GET",
    /^\/issues\/(\d+)\/events$/,
    (request, number) =>
      withIssue(request, number, (issue) =>
        paged(
          request,
          issue.events.map((one) => eventJson(request, one)),
        ),
      ),
  ],
  ["GET", /^\/collaborators\/([^/]+)\/permission$/, permissionOf],
  ["GET", /^\/pulls$/, listPulls],
  ["POST", /^\/pulls$/, createPull],
  ["GET", /^\/pulls\/(\d+)$/, (request, number) => withPull(request, number, async (pull) => ok(await pullJson(request, pull)))],
  ["GET", /^\/pulls\/(\d+)\/files$/, (request, number) => withPull(request, number, (pull) => pullFiles(request, pull))],
  ["GET", /^\/contents\/(.+)$/, contentsOf],
  [
    "GET",
    /^\/commits\/(.+)\/check-runs$/,
    ({ repository }) => ok({ total_count: repository.checkRuns.length, check_runs: repository.checkRuns }),
  ],
  ["PUT", /^\/pulls\/(\d+)\/merge$/, (request, number) => withPull(request, number, (pull) => mergePull(request, pull))],
  ["PATCH", /^\/pulls\/(\d+)$/, (request, number) => withIssue(request, number, (issue) => updatePull(request, issue))],
];

function repositoryOf({ repository, base }: RestRequest): RestReply {
  const { fullName } = repository;
  return ok({
    full_name: fullName,
    description: "A sample",
    default_branch: "main",
    private: true,
    html_url: `${base}/${fullName}`,
    ...repository.mergeMethods,
  });
}

export async function answerRest(request: RestRequest): Promise<RestReply> {
  for (const [method, pattern, handler] of routes) {
    const found = method === request.method ? pattern.exec(request.path) : null;
    if (found !== null) return handler(request, ...found.slice(1));
  }
  return refuse(404, "Not Found");
}

/** The one GraphQL question that REST can't answer. */
export function answerGraphql(repository: DoubleRepository, variables: Record<string, unknown>): RestReply {
  const issue = repository.issues.get(Number(variables["number"]));
  if (issue === undefined)
    return ok({ data: { repository: { issue: null } }, errors: [{ type: "NOT_FOUND", message: "Could not resolve to an issue" }] });
  const { title, body, lastEditedAt } = issue;
  return ok({ data: { repository: { issue: { title, body, lastEditedAt: lastEditedAt === null ? null : time(lastEditedAt) } } } });
}

export function refuse(status: number, message: string, headers: Record<string, string> = {}): RestReply {
  return { status, body: { message, documentation_url: "https://docs.github.com/rest" }, headers };
}

/** GitHub's times have no milliseconds. */
function time(at: number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z");
}

export function issueJson(request: Pick<RestRequest, "repository" | "base">, issue: DoubleIssue): Record<string, unknown> {
  const { repository, base } = request;
  const kind = issue.pull === undefined ? "issues" : "pull";
  return {
    id: 1000 + issue.number,
    number: issue.number,
    title: issue.title,
    body: issue.body === "" ? null : issue.body,
    url: `${base}/repos/${repository.fullName}/issues/${issue.number}`,
    html_url: `${base}/${repository.fullName}/${kind}/${issue.number}`,
    state: issue.state,
    labels: [...issue.labels].map((name) => ({ id: 1, name, color: "ededed" })),
    user: userJson(repository, issue.author),
    author_association: repository.person(issue.author).association,
    assignees: [],
    milestone: null,
    created_at: time(issue.createdAt),
    updated_at: time(issue.updatedAt),
    comments: issue.comments.length,
    ...(issue.pull && { pull_request: { url: `${base}/repos/${repository.fullName}/pulls/${issue.number}` } }),
  };
}

function userJson(repository: DoubleRepository, login: string): Record<string, unknown> | null {
  return login === "ghost" ? null : { login, id: 1, type: repository.person(login).type };
}

function commentJson({ repository, base }: RestRequest, issue: DoubleIssue, comment: DoubleComment): Record<string, unknown> {
  return {
    id: comment.id,
    body: comment.body,
    html_url: `${base}/${repository.fullName}/issues/${issue.number}#issuecomment-${comment.id}`,
    user: userJson(repository, comment.author),
    author_association: repository.person(comment.author).association,
    created_at: time(comment.createdAt),
    updated_at: time(comment.updatedAt),
  };
}

function eventJson({ repository }: RestRequest, event: DoubleIssue["events"][number]): Record<string, unknown> {
  return {
    event: event.event,
    actor: userJson(repository, event.actor),
    created_at: time(event.at),
    ...(event.label !== undefined && { label: { name: event.label, color: "ededed" } }),
  };
}

function listIssues(request: RestRequest): RestReply {
  const { query, repository } = request;
  const labels = (query.get("labels") ?? "").split(",").filter((label) => label !== "");
  const state = query.get("state") ?? "open";
  const since = Date.parse(query.get("since") ?? "1970-01-01T00:00:00Z");
  const sign = (query.get("direction") ?? "desc") === "desc" ? -1 : 1;
  const key = (issue: DoubleIssue) => Date.parse(time(query.get("sort") === "updated" ? issue.updatedAt : issue.createdAt));
  const found = [...repository.issues.values()]
    .filter((issue) => state === "all" || issue.state === state)
    .filter((issue) => labels.every((label) => [...issue.labels].some((own) => own.toLowerCase() === label.toLowerCase())))
    .filter((issue) => Date.parse(time(issue.updatedAt)) >= since)
    .toSorted((a, b) => sign * (key(a) - key(b) || a.number - b.number));
  return paged(
    request,
    found.map((issue) => issueJson(request, issue)),
  );
}

function addComment(request: RestRequest, issue: DoubleIssue): RestReply {
  const comment = request.repository.comment(issue.number, String(request.body["body"]), request.login);
  return { status: 201, body: commentJson(request, issue, comment) };
}

function editComment(request: RestRequest, id = ""): RestReply {
  const edited = request.repository.editComment(Number(id), String(request.body["body"]));
  return edited === undefined ? refuse(404, "Not Found") : ok(commentJson(request, edited.issue, edited.comment));
}

function permissionOf({ repository }: RestRequest, login = ""): RestReply {
  if (!repository.isKnown(login)) return refuse(404, `${login} is not a user`);
  const { permission } = repository.person(login);
  return ok({ permission, role_name: permission, user: userJson(repository, login) });
}

async function listPulls(request: RestRequest): Promise<RestReply> {
  const { query, repository } = request;
  const [owner, branch] = splitOnce(query.get("head") ?? "", ":");
  const state = query.get("state") ?? "open";
  const found = repository
    .pulls()
    .filter((pull) => state === "all" || pull.state === state)
    .filter((pull) => branch === "" || (pull.pull?.head === branch && owner === repository.fullName.split("/")[0]))
    .toSorted((a, b) => b.number - a.number);
  return paged(request, await Promise.all(found.map((pull) => pullJson(request, pull))));
}

async function createPull(request: RestRequest): Promise<RestReply> {
  const { repository, body, login } = request;
  const { title, body: text = "", head, base } = body as { title: string; body?: string; head: string; base: string };
  const invalid = (field: string) => refuseFields([{ resource: "PullRequest", field, code: "invalid" }]);
  if ((await repository.head(base)) === undefined) return invalid("base");
  const headCommit = await repository.head(head);
  if (headCommit === undefined) return invalid("head");
  const ahead = await git(repository.path, ["rev-list", "--count", `refs/heads/${base}..${headCommit}`]);
  if (ahead.trim() === "0")
    return refuseFields([{ resource: "PullRequest", code: "custom", message: `No commits between ${base} and ${head}` }]);
  if (repository.pulls().some((one) => one.state === "open" && one.pull?.head === head && one.pull.base === base)) {
    return refuseFields([
      {
        resource: "PullRequest",
        code: "custom",
        message: `A pull request already exists for ${repository.fullName.split("/")[0]}:${head}.`,
      },
    ]);
  }
  const pull = repository.openPull({ title, body: text, author: login, head, base });
  return { status: 201, body: await pullJson(request, pull) };
}

async function updatePull(request: RestRequest, issue: DoubleIssue): Promise<RestReply> {
  const { body, repository } = request;
  if (issue.pull === undefined) return refuse(404, "Not Found");
  if (typeof body["title"] === "string") issue.title = body["title"];
  if (typeof body["body"] === "string") issue.body = body["body"];
  if (typeof body["base"] === "string") issue.pull.base = body["base"];
  repository.touch(issue);
  return ok(await pullJson(request, issue));
}

function withPull(
  request: RestRequest,
  number: string | undefined,
  then: (pull: DoubleIssue) => RestReply | Promise<RestReply>,
): Promise<RestReply> {
  return withIssue(request, number, (issue) => (issue.pull === undefined ? refuse(404, "Not Found") : then(issue)));
}

/** Under the conditions that GitHub has: open, the head that was named, nothing required that is missing, no conflict. */
async function mergePull({ repository, body }: RestRequest, issue: DoubleIssue): Promise<RestReply> {
  const { head = "", base = "" } = issue.pull ?? {};
  const [headCommit, baseCommit] = [await repository.head(head), await repository.head(base)];
  if (body["sha"] !== headCommit) return refuse(409, "Head branch was modified. Review and try the merge again.");
  const state = await mergeableState(repository, issue);
  if (state !== "clean" && state !== "unstable") return refuse(405, "Pull Request is not mergeable");
  const method = String(body["merge_method"]);
  const allowed = { merge: "allow_merge_commit", squash: "allow_squash_merge", rebase: "allow_rebase_merge" }[method];
  if (allowed === undefined || !repository.mergeMethods[allowed as keyof typeof repository.mergeMethods])
    return refuse(405, `${method} merges are not allowed on this repository.`);
  const [tree = ""] = (await git(repository.path, ["merge-tree", "--write-tree", baseCommit ?? "", headCommit ?? ""])).split("\n");
  const parents = ["-p", baseCommit ?? "", ...(method === "merge" ? ["-p", headCommit ?? ""] : [])];
  const merged = (await git(repository.path, ["commit-tree", tree, ...parents, "-m", `Merge pull request #${issue.number}`])).trim();
  await git(repository.path, ["update-ref", `refs/heads/${base}`, merged]);
  issue.state = "closed";
  if (issue.pull) issue.pull.merged = true;
  repository.touch(issue);
  return ok({ sha: merged, merged: true, message: "Pull Request successfully merged" });
}

async function mergeableState(repository: DoubleRepository, issue: DoubleIssue): Promise<string> {
  if (issue.state === "closed") return "unknown";
  const { head = "", base = "" } = issue.pull ?? {};
  const [headCommit, baseCommit] = [await repository.head(head), await repository.head(base)];
  if (headCommit === undefined || baseCommit === undefined) return "unknown";
  const conflicts = await git(repository.path, ["merge-tree", "--write-tree", baseCommit, headCommit]).then(
    () => false,
    () => true,
  );
  if (conflicts) return "dirty";
  if (repository.checkRuns.every(({ conclusion }) => conclusion === "success")) return "clean";
  return repository.requiresChecks ? "blocked" : "unstable";
}

/** Each changed file with its hunks, as git shows them. */
async function pullFiles({ repository }: RestRequest, { pull }: DoubleIssue): Promise<RestReply> {
  const range = `refs/heads/${pull?.base}...refs/heads/${pull?.head}`;
  const names = (await git(repository.path, ["diff", "--numstat", range])).split("\n").filter(Boolean);
  const files = names.map(async (line) => {
    const [additions, deletions, filename = ""] = line.split("\t");
    const patch = (await git(repository.path, ["diff", range, "--", filename])).replace(/^[^]*?(?=^@@)/m, "").trimEnd();
    return { filename, status: "modified", additions: Number(additions), deletions: Number(deletions), patch };
  });
  return ok(await Promise.all(files));
}

async function contentsOf({ repository, query }: RestRequest, encoded = ""): Promise<RestReply> {
  const path = decodeURIComponent(encoded);
  const listed = await git(repository.path, ["ls-tree", "-r", "--name-only", query.get("ref") ?? "main", "--", path]);
  if (listed.trim() !== path) return refuse(404, "Not Found");
  const content = await git(repository.path, ["cat-file", "blob", `${query.get("ref") ?? "main"}:${path}`]);
  return ok({ type: "file", path, size: content.length, encoding: "base64", content: Buffer.from(content).toString("base64") });
}

async function pullJson(request: RestRequest, issue: DoubleIssue): Promise<Record<string, unknown>> {
  const { repository, base } = request;
  const { head = "", base: target = "", merged = false } = issue.pull ?? {};
  return {
    number: issue.number,
    html_url: `${base}/${repository.fullName}/pull/${issue.number}`,
    state: issue.state,
    title: issue.title,
    body: issue.body,
    draft: false,
    mergeable_state: await mergeableState(repository, issue),
    merged,
    merged_at: merged ? time(issue.updatedAt) : null,
    created_at: time(issue.createdAt),
    updated_at: time(issue.updatedAt),
    head: { ref: head, sha: (await repository.head(head)) ?? "0".repeat(40) },
    base: { ref: target, sha: (await repository.head(target)) ?? "0".repeat(40) },
    user: userJson(repository, issue.author),
  };
}

async function withIssue(
  request: RestRequest,
  number: string | undefined,
  then: (issue: DoubleIssue) => RestReply | Promise<RestReply>,
): Promise<RestReply> {
  const issue = request.repository.issues.get(Number(number));
  return issue === undefined ? refuse(404, "Not Found") : then(issue);
}

function paged(request: RestRequest, items: readonly unknown[]): RestReply {
  const { query, base, repository, path } = request;
  const size = Math.min(100, Number(query.get("per_page") ?? 30));
  const page = Number(query.get("page") ?? 1);
  const last = Math.max(1, Math.ceil(items.length / size));
  const link = (to: number, rel: string) => {
    const next = new URLSearchParams(query);
    next.set("page", String(to));
    return `<${base}/repos/${repository.fullName}${path}?${next.toString()}>; rel="${rel}"`;
  };
  const links = [...(page > 1 ? [link(page - 1, "prev")] : []), ...(page < last ? [link(page + 1, "next"), link(last, "last")] : [])];
  return { ...ok(items.slice((page - 1) * size, page * size)), headers: links.length > 0 ? { link: links.join(", ") } : {} };
}

function ok(body: unknown): RestReply {
  return { status: 200, body };
}

function refuseFields(errors: readonly Record<string, unknown>[]): RestReply {
  return { status: 422, body: { message: "Validation Failed", errors, documentation_url: "https://docs.github.com/rest" } };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? ["", text] : [text.slice(0, at), text.slice(at + 1)];
}
