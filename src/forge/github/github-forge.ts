import { z } from "zod";
import { AppError } from "../../base/errors.ts";
import type { Clock } from "../../base/clock.ts";
import type { GitCredentials } from "../../workspace/workspaces.ts";
import { contentHash } from "../content-hash.ts";
import type { BrokerPull, BrokerQuery } from "../../contract/broker.ts";
import type { Forge, ForgeProject, Issue, IssuePoll, Permission, PullRequest, PullState, PullToMerge, Reading } from "../forge.ts";
import { hasLabel } from "../labels.ts";
import { isOurs, withMarker } from "../marker.ts";
import { GithubClient, PAGE_SIZE, withPage, type ClientOptions } from "./client.ts";
import { mergePullOf, pullStateOf } from "./merging.ts";
import { mayStart } from "./permission.ts";
import { openCursor, scopeOf, sealCursor, type PollCursor } from "./poll-cursor.ts";
import { readGithub } from "./reading.ts";
import { CommentData, IssueData, PullData } from "./responses.ts";

export interface GithubForgeOptions extends ClientOptions {
  /** Takes known secrets out of a text that is about to leave. */
  readonly redact: (text: string) => string;
}

/** Lists can lag behind what happened by some seconds; what is older than this was surely in the last one. */
const OVERLAP_MS = 60_000;
/** Everything is listed again after this time: what a list by time can't show (deleted, moved, missed) is found then. */
const LIST_ALL_MS = 3_600_000;
const COMMENTS_MAX = 50;
/** GitHub takes 65,536 characters. */
const BODY_MAX = 65_000;

/** Issues and pull requests at GitHub or GitHub Enterprise, with one token a project. */
export class GithubForge implements Forge {
  readonly kind = "github";
  readonly mergesPulls = true;
  readonly #clock: Clock;
  readonly #client: GithubClient;
  readonly #redact: (text: string) => string;
  readonly #tokens: ClientOptions["tokens"];

  constructor({ redact, ...options }: GithubForgeOptions) {
    this.#clock = options.clock;
    this.#tokens = options.tokens;
    this.#client = new GithubClient(options);
    this.#redact = redact;
  }

  async poll(target: ForgeProject, cursor: string | null, signal: AbortSignal): Promise<IssuePoll> {
    const known = openCursor(cursor, scopeOf(target));
    const isDue = known === null || this.#clock.now() - known.listedAt >= LIST_ALL_MS;
    try {
      return isDue ? await this.#listAll(target, signal) : await this.#listChanged(target, known, signal);
    } catch (error) {
      throw isNotFound(error) ? invisible(target, error) : error;
    }
  }

  async getIssue(target: ForgeProject, number: number, signal: AbortSignal): Promise<Issue | undefined> {
    const request = { route: "GET /repos/{owner}/{repo}/issues/{issue_number}", parameters: { issue_number: number }, answer: IssueData };
    try {
      const { data } = await this.#believing(target, signal, () => this.#client.send(target, request, signal));
      return isPull(data) ? undefined : await this.#complete(target, data, signal);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  mayStart(target: ForgeProject, issue: Issue, signal: AbortSignal): Promise<Permission> {
    return mayStart(this.#client, target, issue, signal);
  }

  read(target: ForgeProject, query: BrokerQuery, etag: string | null, signal: AbortSignal): Promise<Reading> {
    return this.#believing(target, signal, () => readGithub(this.#client, target, query, etag, signal));
  }

  /** GitHub keeps one for each, also where the branch is of another repository. */
  headRef({ number }: Pick<BrokerPull, "number">): string {
    return `refs/pull/${number}/head`;
  }

  putComment(
    target: ForgeProject,
    comment: { issue: number; marker: string; body: string },
    signal: AbortSignal,
  ): Promise<{ url: string }> {
    return this.#believing(target, signal, () => this.#putComment(target, comment, signal));
  }

  putPullRequest(
    target: ForgeProject,
    pull: { branch: string; base: string; title: string; body: string; marker: string },
    signal: AbortSignal,
  ): Promise<PullRequest> {
    return this.#believing(target, signal, () => this.#putPullRequest(target, pull, signal));
  }

  pullState(target: ForgeProject, pull: PullToMerge, signal: AbortSignal): Promise<PullState> {
    return this.#believing(target, signal, () => pullStateOf(this.#client, target, pull, signal));
  }

  mergePull(target: ForgeProject, pull: PullToMerge, signal: AbortSignal): Promise<void> {
    return this.#believing(target, signal, () => mergePullOf(this.#client, target, pull, signal));
  }

  credentials({ config }: ForgeProject): GitCredentials {
    return { token: this.#tokens(config.github.tokenVariable) ?? null };
  }

  async #putComment(
    target: ForgeProject,
    comment: { issue: number; marker: string; body: string },
    signal: AbortSignal,
  ): Promise<{ url: string }> {
    const body = this.#outgoing(withMarker(comment.marker, comment.body));
    const existing = await this.#findComment(target, comment.issue, comment.marker, signal);
    if (existing?.body?.trimEnd() === body.trimEnd()) return { url: existing.html_url };
    const request =
      existing === undefined
        ? { route: "POST /repos/{owner}/{repo}/issues/{issue_number}/comments", parameters: { issue_number: comment.issue, body } }
        : { route: "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}", parameters: { comment_id: existing.id, body } };
    const { data } = await this.#client.send(target, { ...request, answer: CommentData }, signal);
    return { url: data.html_url };
  }

  async #putPullRequest(
    target: ForgeProject,
    pull: { branch: string; base: string; title: string; body: string; marker: string },
    signal: AbortSignal,
  ): Promise<PullRequest> {
    const wanted = { title: this.#redact(pull.title), body: this.#outgoing(withMarker(pull.marker, pull.body)), base: pull.base };
    const existing = await this.#findPull(target, pull.branch, signal);
    if (existing === undefined) return this.#openPull(target, { ...wanted, head: pull.branch }, signal);
    const isUpToDate =
      existing.title === wanted.title && existing.body?.trimEnd() === wanted.body.trimEnd() && existing.base.ref === wanted.base;
    // Somebody else's from our branch, and one that was closed or merged, are not ours to edit.
    if (isUpToDate || existing.state === "closed" || !existing.body?.startsWith(pull.marker)) return toPullRequest(existing);
    const request = {
      route: "PATCH /repos/{owner}/{repo}/pulls/{pull_number}",
      parameters: { ...wanted, pull_number: existing.number },
      answer: PullData,
    };
    return toPullRequest((await this.#client.send(target, request, signal)).data);
  }

  async #listAll(target: ForgeProject, signal: AbortSignal): Promise<IssuePoll> {
    const listedAt = this.#clock.now();
    const found = new Map<number, IssueData>();
    let since = Infinity;
    for (const label of target.config.intake.labels) {
      const answer = await this.#listIssues(target, { state: "open", labels: label, sort: "created", direction: "asc" }, null, signal);
      since = Math.min(since, (answer?.serverTime ?? listedAt) - OVERLAP_MS);
      for (const issue of answer?.data ?? []) found.set(issue.number, issue);
    }
    const cursor: PollCursor = { scope: scopeOf(target), since, etag: null, listedAt };
    return this.#toPoll(target, true, [...found.values()], cursor, signal);
  }

  /** By time, newest first: an issue that changes while we page moves to the front, which can repeat another but never hide one. */
  async #listChanged(target: ForgeProject, known: PollCursor, signal: AbortSignal): Promise<IssuePoll> {
    const filter = { state: "all", since: new Date(known.since).toISOString().replace(/\.\d+Z$/, "Z"), sort: "updated", direction: "desc" };
    const answer = await this.#listIssues(target, filter, known.etag, signal);
    if (answer === undefined) return { changed: false };
    const since = Math.max(known.since, ...answer.data.map((issue) => issue.updated_at - OVERLAP_MS));
    const cursor: PollCursor = { ...known, since, etag: since === known.since ? answer.etag : null };
    return this.#toPoll(target, false, answer.data, cursor, signal);
  }

  #listIssues(target: ForgeProject, filter: Record<string, string>, etag: string | null, signal: AbortSignal) {
    return this.#client.list(
      target,
      { route: "GET /repos/{owner}/{repo}/issues", parameters: filter, answer: z.array(IssueData) },
      signal,
      etag,
    );
  }

  async #toPoll(
    target: ForgeProject,
    complete: boolean,
    found: readonly IssueData[],
    cursor: PollCursor,
    signal: AbortSignal,
  ): Promise<IssuePoll> {
    const issues: Issue[] = [];
    for (const issue of found) {
      if (!isPull(issue)) issues.push(await this.#complete(target, issue, signal));
    }
    return { changed: true, complete, issues, problems: [], cursor: sealCursor(cursor) };
  }

  /** The issue with its comments. */
  async #complete(target: ForgeProject, issue: IssueData, signal: AbortSignal): Promise<Issue> {
    const labels = issue.labels.map((label) => (typeof label === "string" ? label : (label.name ?? ""))).filter((name) => name !== "");
    const body = issue.body ?? "";
    return {
      number: issue.number,
      title: issue.title,
      body,
      url: issue.html_url,
      open: issue.state === "open",
      labels,
      author: issue.user?.login ?? "ghost",
      association: issue.author_association,
      updatedAt: issue.updated_at,
      contentHash: contentHash(issue.title, body),
      comments: hasLabel(labels, target.config.intake.labels) ? await this.#lastComments(target, issue, signal) : [],
    };
  }

  /** Read from the last page backwards until there are enough by people. */
  async #lastComments(target: ForgeProject, issue: IssueData, signal: AbortSignal): Promise<Issue["comments"]> {
    const request = { route: COMMENTS, parameters: { issue_number: issue.number }, answer: z.array(CommentData) };
    let comments: CommentData[] = [];
    for (let page = Math.ceil(issue.comments / PAGE_SIZE); page > 0 && comments.length < COMMENTS_MAX; page--) {
      const { data } = await this.#client.send(target, withPage(request, page), signal);
      comments = [...data.filter(isByPerson), ...comments];
    }
    return comments.slice(-COMMENTS_MAX).map((comment) => ({
      author: comment.user?.login ?? "ghost",
      association: comment.author_association,
      body: comment.body ?? "",
      at: comment.created_at,
    }));
  }

  /** The oldest with this marker: nobody else could know it before we first used it. */
  async #findComment(target: ForgeProject, issue: number, marker: string, signal: AbortSignal): Promise<CommentData | undefined> {
    const answer = await this.#client.list(
      target,
      { route: COMMENTS, parameters: { issue_number: issue }, answer: z.array(CommentData) },
      signal,
    );
    return answer?.data.find((comment) => comment.body?.startsWith(marker));
  }

  /** The open one of this head, else the newest closed one. */
  async #findPull(target: ForgeProject, branch: string, signal: AbortSignal): Promise<PullData | undefined> {
    const owner = target.project.repository?.split("/")[0] ?? "";
    const request = {
      route: PULLS,
      parameters: { head: `${owner}:${branch}`, state: "all", sort: "created", direction: "desc" },
      answer: z.array(PullData),
    };
    const pulls = (await this.#client.list(target, request, signal))?.data ?? [];
    return pulls.find((pull) => pull.state === "open") ?? pulls[0];
  }

  async #openPull(
    target: ForgeProject,
    parameters: { head: string; base: string; title: string; body: string },
    signal: AbortSignal,
  ): Promise<PullRequest> {
    try {
      const { data } = await this.#client.send(target, { route: `POST ${PULLS.slice(4)}`, parameters, answer: PullData }, signal);
      return toPullRequest(data);
    } catch (error) {
      throw isMissingHead(error)
        ? new AppError("unavailable", `GitHub does not know the branch ${parameters.head} yet.`, { cause: error })
        : error;
    }
  }

  /** Does it, and takes a 404 for what it says only where the repository itself is visible. */
  async #believing<Result>(target: ForgeProject, signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (isNotFound(error)) await this.#proveVisible(target, signal);
      throw error;
    }
  }

  async #proveVisible(target: ForgeProject, signal: AbortSignal): Promise<void> {
    try {
      await this.#client.send(target, { route: "GET /repos/{owner}/{repo}", answer: z.object({ full_name: z.string() }) }, signal);
    } catch (error) {
      throw isNotFound(error) ? invisible(target, error) : error;
    }
  }

  #outgoing(text: string): string {
    const redacted = this.#redact(text);
    if (redacted.length <= BODY_MAX) return redacted;
    return `${redacted.slice(0, BODY_MAX).toWellFormed()}\n\n(The rest was cut: it is longer than GitHub takes.)`;
  }
}

const COMMENTS = "GET /repos/{owner}/{repo}/issues/{issue_number}/comments";
const PULLS = "GET /repos/{owner}/{repo}/pulls";

/** GitHub lists pull requests as issues. Work on them is never started by a label: their text and code may come from a fork. */
function isPull(issue: IssueData): boolean {
  return issue.pull_request !== undefined && issue.pull_request !== null;
}

function isByPerson(comment: CommentData): boolean {
  return comment.user?.type !== "Bot" && !isOurs(comment.body ?? "");
}

function toPullRequest({ number, html_url, state }: PullData): PullRequest {
  return { number, url: html_url, open: state === "open" };
}

function isNotFound(error: unknown): boolean {
  return error instanceof AppError && error.code === "not_found";
}

/** GitHub says 404 as well for what a token may not see, so this is no proof that anything is gone. */
function invisible({ project, config }: ForgeProject, cause: unknown): AppError {
  return new AppError(
    "invalid",
    `GitHub shows no repository ${project.repository} to the token in ${config.github.tokenVariable}. Check the name, and that the token may read it.`,
    { cause },
  );
}

/** A branch pushed a moment ago may not have arrived everywhere at GitHub. */
function isMissingHead(error: unknown): boolean {
  return error instanceof AppError && error.details["status"] === 422 && /"field":"head","code":"invalid"/.test(error.message);
}
