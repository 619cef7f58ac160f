import type {
  BrokerAnswer,
  BrokerCheck,
  BrokerComment,
  BrokerIssue,
  BrokerPull,
  BrokerPullFile,
  BrokerRepository,
} from "../../contract/broker.ts";
import type { Shown } from "./arguments.ts";

/** What gh would print, to a pipe, and its exit code. `toStderr`: what is wrong with what was asked for. */
export interface Printed {
  readonly text: string;
  readonly exitCode: number;
  readonly toStderr?: true;
}

type Answers = readonly BrokerAnswer[];
type Fields = Readonly<Record<string, unknown>>;

/** @param answers of the calls of a command, in their order. */
export function print(answers: Answers, { as, json, only }: Shown): Printed {
  const [first] = answers;
  if (as === "rest") return done(JSON.stringify(first?.value));
  switch (first?.call) {
    case undefined:
      return done("");
    case "issue":
      return json ? pick([issueFields(first.value, commentsIn(answers))], json, false) : done(issueText(first.value));
    case "issues": {
      const found = first.value.filter(({ labels }) => only["label"] === undefined || labels.some(({ name }) => name === only["label"]));
      return json
        ? pick(
            found.map((issue) => issueFields(issue, [])),
            json,
            true,
          )
        : done(found.map(issueLine).join("\n"));
    }
    case "comments":
      return done(first.value.map(commentText).join("\n"));
    case "pull":
      return json ? pick([pullFields(first.value, answers)], json, false) : done(pullText(first.value));
    case "pulls": {
      const found = first.value.filter((pull) => isWanted(pull, only));
      return json
        ? pick(
            found.map((pull) => pullFields(pull, [])),
            json,
            true,
          )
        : done(found.map(pullLine).join("\n"));
    }
    case "pull_files":
      return done(first.value.map(as === "names" ? ({ filename }) => filename : fileDiff).join("\n"));
    case "checks":
      return checks(first.value, json);
    case "repository":
      if (as === "login")
        return done(
          `github.com\n  ✓ Drover asks for ${first.value.full_name} in your place\n  - There is no token here, and none is needed`,
        );
      return json
        ? pick([repositoryFields(first.value)], json, false)
        : done(`name:\t${first.value.full_name}\ndescription:\t${first.value.description ?? ""}`);
    case "file":
      return done(Buffer.from(first.value.content, "base64").toString());
    case "comment":
    case "edit_pull":
      return done(first.value);
  }
}

function done(text: string, exitCode = 0): Printed {
  return { text, exitCode };
}

/** The wanted fields of each, as JSON; one that does not exist is a mistake, as it is for gh. */
function pick(found: readonly Fields[], names: readonly string[], isList: boolean, exitCode = 0): Printed {
  const known = Object.keys(found[0] ?? {});
  const unknown = found.length === 0 ? undefined : names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    return { text: `Unknown JSON field: "${unknown}"\nAvailable fields:\n  ${known.toSorted().join("\n  ")}`, exitCode: 1, toStderr: true };
  const picked = found.map((one) => Object.fromEntries(names.map((name) => [name, one[name]])));
  return done(JSON.stringify(isList ? picked : picked[0]), exitCode);
}

function commentsIn(answers: Answers): readonly BrokerComment[] {
  return answers.find((answer) => answer.call === "comments")?.value ?? [];
}

function issueFields(issue: BrokerIssue, comments: readonly BrokerComment[]): Fields {
  return {
    number: issue.number,
    title: issue.title,
    body: issue.body ?? "",
    state: issue.state.toUpperCase(),
    closed: issue.state === "closed",
    url: issue.html_url,
    author: { login: issue.user?.login ?? "ghost" },
    labels: issue.labels,
    assignees: issue.assignees,
    milestone: issue.milestone ?? null,
    createdAt: issue.created_at,
    updatedAt: issue.updated_at,
    comments: comments.map(commentFields),
  };
}

function commentFields({ body, user, author_association: association, created_at: createdAt, html_url: url }: BrokerComment): Fields {
  return { author: { login: user?.login ?? "ghost" }, authorAssociation: association, body: body ?? "", createdAt, url };
}

function issueText(issue: BrokerIssue): string {
  return [
    `title:\t${issue.title}`,
    `state:\t${issue.state.toUpperCase()}`,
    `author:\t${issue.user?.login ?? "ghost"}`,
    `labels:\t${issue.labels.map(({ name }) => name).join(", ")}`,
    `comments:\t${issue.comments}`,
    `assignees:\t${issue.assignees.map(({ login }) => login).join(", ")}`,
    `milestone:\t${issue.milestone?.title ?? ""}`,
    `number:\t${issue.number}`,
    "--",
    issue.body ?? "",
  ].join("\n");
}

function issueLine({ number, state, title, labels, updated_at: updatedAt }: BrokerIssue): string {
  return [number, state.toUpperCase(), title, labels.map(({ name }) => name).join(", "), updatedAt].join("\t");
}

function commentText({ user, author_association: association, body }: BrokerComment): string {
  return `author:\t${user?.login ?? "ghost"}\nassociation:\t${association.toLowerCase()}\n--\n${body ?? ""}\n--`;
}

function stateOf({ state, merged_at: mergedAt }: BrokerPull): string {
  return mergedAt ? "MERGED" : state.toUpperCase();
}

function isWanted(pull: BrokerPull, only: Shown["only"]): boolean {
  const { head = pull.head.ref, base = pull.base.ref, state } = only;
  return pull.head.ref === head && pull.base.ref === base && (state !== "merged" || stateOf(pull) === "MERGED");
}

function pullFields(pull: BrokerPull, answers: Answers): Fields {
  const files = answers.find((answer) => answer.call === "pull_files")?.value ?? [];
  return {
    number: pull.number,
    title: pull.title,
    body: pull.body ?? "",
    state: stateOf(pull),
    isDraft: pull.draft,
    url: pull.html_url,
    author: { login: pull.user?.login ?? "ghost" },
    headRefName: pull.head.ref,
    headRefOid: pull.head.sha,
    baseRefName: pull.base.ref,
    baseRefOid: pull.base.sha,
    createdAt: pull.created_at,
    updatedAt: pull.updated_at,
    mergedAt: pull.merged_at ?? null,
    comments: commentsIn(answers).map(commentFields),
    files: files.map(({ filename: path, additions, deletions }) => ({ path, additions, deletions })),
  };
}

function pullText(pull: BrokerPull): string {
  return [
    `title:\t${pull.title}`,
    `state:\t${stateOf(pull)}`,
    `author:\t${pull.user?.login ?? "ghost"}`,
    `number:\t${pull.number}`,
    `url:\t${pull.html_url}`,
    "--",
    pull.body ?? "",
  ].join("\n");
}

function pullLine(pull: BrokerPull): string {
  return [pull.number, pull.title, pull.head.ref, stateOf(pull), pull.created_at].join("\t");
}

/** A patch of GitHub's begins with its first hunk. */
function fileDiff({ filename, previous_filename: before = filename, status, patch }: BrokerPullFile): string {
  const from = status === "added" ? "/dev/null" : `a/${before}`;
  const to = status === "removed" ? "/dev/null" : `b/${filename}`;
  const head = `diff --git a/${before} b/${filename}`;
  return patch === undefined ? `${head}\n(no text, or too long to be shown)` : `${head}\n--- ${from}\n+++ ${to}\n${patch}`;
}

/** Exit codes as those of gh: 8 while any is under way, 1 when one failed. */
function checks(found: readonly BrokerCheck[], json: readonly string[] | null): Printed {
  if (found.length === 0) return { text: "no checks reported on the branch", exitCode: 1, toStderr: true };
  const all = found.map((check) => ({
    name: check.name,
    state: (check.conclusion ?? check.status).toUpperCase(),
    bucket: bucketOf(check),
    link: check.html_url ?? "",
  }));
  const buckets = new Set(all.map(({ bucket }) => bucket));
  const exitCode = buckets.has("fail") || buckets.has("cancel") ? 1 : buckets.has("pending") ? 8 : 0;
  return json ? pick(all, json, true) : done(all.map(({ name, bucket, link }) => `${name}\t${bucket}\t\t${link}`).join("\n"), exitCode);
}

function bucketOf({ conclusion }: BrokerCheck): "pass" | "fail" | "cancel" | "skipping" | "pending" {
  switch (conclusion) {
    case null:
      return "pending";
    case "success":
    case "neutral":
      return "pass";
    case "skipped":
      return "skipping";
    case "cancelled":
      return "cancel";
    default:
      return "fail";
  }
}

function repositoryFields(repository: BrokerRepository): Fields {
  const [owner = "", name = ""] = repository.full_name.split("/");
  return {
    name,
    owner: { login: owner },
    nameWithOwner: repository.full_name,
    description: repository.description ?? "",
    isPrivate: repository.private,
    visibility: repository.private ? "PRIVATE" : "PUBLIC",
    defaultBranchRef: { name: repository.default_branch },
    url: repository.html_url,
  };
}
