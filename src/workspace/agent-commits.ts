import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../base/errors.ts";
import { safeText } from "../base/text.ts";
import type { AgentRepository } from "./agent-repository.ts";
import { gitFailure, removals, type Git, type GitCall } from "./git.ts";
import type { Repository } from "./repository.ts";

export interface KeepRequest {
  /** The task's refs, `refs/drover/tasks/TASK`. */
  readonly refs: string;
  readonly baseCommit: string;
  /** The tree of the workspace's files, saved by itself. */
  readonly tree: string;
}

/** Objects are checked as they come in; these faults are common in old histories and harm nobody. */
const CHECKED = {
  "fetch.fsckObjects": "true",
  "fetch.fsck.zeroPaddedFilemode": "ignore",
  "fetch.fsck.missingSpaceBeforeDate": "ignore",
  "fetch.fsck.zeroPaddedDate": "ignore",
  "fetch.fsck.badTimezone": "ignore",
  "fetch.fsck.missingEmail": "ignore",
};

/**
 * Brings every commit that an agent's repository names (branches, tags, stashes, reflogs, a detached HEAD), and what is
 * only staged there, behind refs of ours: `REFS/agent/COMMIT` for each that no other one leads to. They stay when the agent
 * removes its own. Throws `conflict` when some could not be brought over whole.
 */
export async function keepCommits(repository: Repository, agent: AgentRepository, request: KeepRequest): Promise<void> {
  const known = await knownIn(repository, request);
  const commits = [...agent.commits, ...(await commitStaged(repository, agent, request))];
  const tips = [...(await tipsOf(repository, agent, commits, known)), ...agent.tags.filter((id) => !known.has(id))];
  if (tips.length === 0) return;
  const lines = tips.toSorted().map((id) => `${id} refs/take/${id}\n`);
  await writeFile(join(agent.view, "packed-refs"), `# pack-refs with: sorted \n${lines.join("")}`);
  const fetched = await repository.run(
    ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", agent.view, `+refs/take/*:${request.refs}/agent/*`],
    { config: CHECKED },
  );
  if (fetched.exitCode === 0) return;
  throw new AppError("conflict", `The commits of the workspace can't be saved: ${safeText(fetched.stderr).trim()}`, { tips });
}

/** Paths that the agent's own repository tracks. */
export async function trackedBy(repository: Repository, agent: AgentRepository): Promise<string[]> {
  const paths: string[] = [];
  for (const index of agent.indexes)
    paths.push(...(await repository.git.print(["ls-files", "-z"], { repository: agent.view, index })).split("\0"));
  return paths.filter((path) => path !== "");
}

async function knownIn(repository: Repository, { refs, baseCommit }: KeepRequest): Promise<Set<string>> {
  const ids = await repository.print(["for-each-ref", "--format=%(objectname)", refs]);
  return new Set([baseCommit, ...ids.split("\n").filter((id) => id !== "")]);
}

/** A commit for each index whose content neither HEAD nor the files have. */
async function commitStaged(repository: Repository, agent: AgentRepository, { tree }: KeepRequest): Promise<string[]> {
  const { git } = repository;
  const { view, head } = agent;
  const elsewhere = new Set([tree, head?.tree]);
  const commits: string[] = [];
  for (const index of agent.indexes) {
    const staged = await treeOfIndex(git, { repository: view, index });
    if (elsewhere.has(staged)) continue;
    const parent = head === null ? [] : ["-p", head.commit];
    // Dated at the epoch, so that the same content is the same commit at the next checkpoint.
    commits.push((await git.print(["commit-tree", ...parent, "-m", "Staged, not committed", staged], { repository: view, at: 0 })).trim());
  }
  return commits;
}

/** Without paths in conflict, which can't be in a tree; what they consist of is in commits. */
async function treeOfIndex(git: Git, call: GitCall): Promise<string> {
  const written = await git.run(["write-tree"], call);
  if (written.exitCode === 0) return written.stdout.trim();
  const unmerged = (await git.print(["ls-files", "--unmerged", "-z"], call)).split("\0").filter((entry) => entry !== "");
  const paths = new Set(unmerged.map((entry) => entry.slice(entry.indexOf("\t") + 1)));
  await git.print(["update-index", "-z", "--index-info"], { ...call, input: removals([...paths]) });
  return (await git.print(["write-tree"], call)).trim();
}

/** Those that nothing known leads to, nor another of them: their refs keep all the rest. */
async function tipsOf(
  repository: Repository,
  agent: AgentRepository,
  commits: readonly string[],
  known: ReadonlySet<string>,
): Promise<string[]> {
  const unknown = commits.filter((id) => !known.has(id));
  if (unknown.length === 0) return [];
  const call = { repository: agent.view, input: [...unknown, ...[...known].map((id) => `^${id}`)].map((id) => `${id}\n`).join("") };
  const args = ["rev-list", "--parents", "--stdin"];
  const walked = await repository.git.run(args, call);
  if (walked.exitCode !== 0) throw gitFailure(args, call, walked);
  const lines = walked.stdout.split("\n").filter((line) => line !== "");
  const parents = new Set(lines.flatMap((line) => line.split(" ").slice(1)));
  const listed = new Set(lines.map((line) => line.slice(0, 40)));
  return unknown.filter((id) => listed.has(id) && !parents.has(id));
}
