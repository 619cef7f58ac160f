import { AppError } from "../../base/errors.ts";
import type { BrokerAnswer, BrokerIssue, BrokerPull, BrokerQuery } from "../../contract/broker.ts";
import type { Project } from "../../contract/project.ts";
import type { Git } from "../../workspace/git.ts";
import type { Issue } from "../forge.ts";
import { readFolder, readIssue } from "./issue-folder.ts";

export const PULLS = "refs/drover/pulls/";

/** Reads issues from their files, pull requests from our refs, and files from the base branch. Throws `not_found` and `invalid`. */
export async function readLocal(git: Git, project: Project, query: BrokerQuery, signal: AbortSignal): Promise<BrokerAnswer> {
  switch (query.call) {
    case "repository":
      return { call: "repository", value: repositoryOf(project) };
    case "issue":
      return { call: "issue", value: toBroker(await issueOf(project, query.number)) };
    case "comments":
      await issueOf(project, query.number);
      // A file has none; what we write goes elsewhere.
      return { call: "comments", value: [] };
    case "issues":
      return { call: "issues", value: (await issuesOf(project, query.state)).slice(0, query.limit).map(toBroker) };
    case "pulls":
      return { call: "pulls", value: await pullsInState(git, project, query, signal) };
    case "pull": {
      const pull = (await pullsOf(git, project, signal)).find(({ number }) => number === query.number);
      if (pull === undefined) throw new AppError("not_found", `${project.name} has no pull request ${query.number}.`);
      return { call: "pull", value: pull };
    }
    case "file":
      return { call: "file", value: await fileOf(git, project, query, signal) };
    case "pull_files":
    case "checks":
      throw new AppError("invalid", `The issues of ${project.name} are files, so nobody but git knows of ${query.call.replace("_", " ")}.`);
  }
}

function repositoryOf({ name, path, baseBranch }: Project) {
  return { full_name: `local/${name}`, description: null, private: true, default_branch: baseBranch, html_url: `file://${path}` };
}

async function issueOf(project: Project, number: number): Promise<Issue> {
  const files = (await readFolder(project))?.files ?? [];
  const file = files.find((one) => one.number === number);
  if (file === undefined) throw new AppError("not_found", `${project.name} has no issue ${number}: there is no file of that number.`);
  return readIssue(file, files);
}

/** The newest first, as GitHub has them. One that can't be read is left out: the daemon tells of it. */
async function issuesOf(project: Project, state: "open" | "closed" | "all"): Promise<Issue[]> {
  const files = (await readFolder(project))?.files ?? [];
  const read = await Promise.allSettled(files.map((file) => readIssue(file, files)));
  return read
    .flatMap((one) => (one.status === "fulfilled" ? [one.value] : []))
    .filter(({ open }) => state === "all" || open === (state === "open"))
    .toReversed();
}

function toBroker({ number, title, body, open, url, author, association, labels, updatedAt }: Issue): BrokerIssue {
  const at = new Date(updatedAt).toISOString();
  return {
    number,
    title,
    body,
    state: open ? "open" : "closed",
    html_url: url,
    user: { login: author },
    author_association: association,
    labels: labels.map((name) => ({ name })),
    assignees: [],
    comments: 0,
    created_at: at,
    updated_at: at,
  };
}

const PULL = /^---\ntitle: (".*")\nbase: (".*")\nbranch: (".*")\n(state: merged\n)?---\n([^]*)$/;

/** Whether the record of a pull request says in its head that it is merged; what its text says does not count. */
export function isMergedPull(record: string): boolean {
  return PULL.exec(record)?.[4] !== undefined;
}

/** The same record, of a pull request that was merged. */
export function asMergedPull(record: string): string {
  return isMergedPull(record) ? record : record.replace("\n---\n", "\nstate: merged\n---\n");
}

async function pullsInState(
  git: Git,
  project: Project,
  { state, limit }: { state: "open" | "closed" | "all"; limit: number },
  signal: AbortSignal,
): Promise<BrokerPull[]> {
  const pulls = await pullsOf(git, project, signal);
  return pulls.filter((pull) => state === "all" || pull.state === state).slice(0, limit);
}

/** Those of ours: there are no others. The newest first. */
async function pullsOf(git: Git, { path }: Project, signal: AbortSignal): Promise<BrokerPull[]> {
  const call = { cwd: path, signal };
  const lines = await git.print(
    ["for-each-ref", "--sort=-version:refname", "--format=%(refname) %(committerdate:iso-strict)", PULLS],
    call,
  );
  const pulls = lines
    .split("\n")
    .filter((line) => line !== "")
    .map(async (line): Promise<BrokerPull | undefined> => {
      const [ref = "", at = ""] = line.split(" ");
      const [, title = "", base = "", branch = "", merged, body = ""] =
        PULL.exec(await git.print(["cat-file", "blob", `${ref}:pull.md`], call)) ?? [];
      if (title === "") return undefined;
      const place = async (name: string) => ({ ref: name, sha: await commitOf(git, `refs/heads/${name}`, call) });
      return {
        number: Number(ref.slice(PULLS.length)),
        title: parse(title),
        body,
        state: merged === undefined ? "open" : "closed",
        draft: false,
        html_url: `drover:pulls/${ref.slice(PULLS.length)}`,
        user: null,
        head: await place(parse(branch)),
        base: await place(parse(base)),
        created_at: at,
        updated_at: at,
      };
    });
  return (await Promise.all(pulls)).filter((pull) => pull !== undefined);
}

function parse(text: string): string {
  return JSON.parse(text) as string;
}

async function commitOf(git: Git, ref: string, call: { cwd: string; signal: AbortSignal }): Promise<string> {
  const { exitCode, stdout } = await git.run(["rev-parse", "--verify", "--quiet", "--end-of-options", ref], call);
  return exitCode === 0 ? stdout.trim() : "0".repeat(40);
}

/** Of the base branch alone: the person's other branches are nobody's but theirs. */
async function fileOf(
  git: Git,
  { name, path: cwd, baseBranch }: Project,
  { path, ref }: Extract<BrokerQuery, { call: "file" }>,
  signal: AbortSignal,
) {
  if (ref !== null && ref !== baseBranch) throw new AppError("invalid", `Of ${name} only files of ${baseBranch} can be read.`);
  const { exitCode, stdout } = await git.run(["cat-file", "blob", `refs/heads/${baseBranch}:${path}`], { cwd, signal });
  if (exitCode !== 0) throw new AppError("not_found", `${name} has no file ${path} on ${baseBranch}.`);
  return { path, size: Buffer.byteLength(stdout), encoding: "base64" as const, content: Buffer.from(stdout).toString("base64") };
}
