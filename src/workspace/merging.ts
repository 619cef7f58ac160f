import { AppError } from "../base/errors.ts";
import { safeText } from "../base/text.ts";
import { gitFailure } from "./git.ts";
import type { Repository } from "./repository.ts";

/** Commits of a branch: those that lead to `head` and not to `base`. */
export interface CommitRange {
  readonly base: string;
  readonly head: string;
}

/** Two states that both come from `base`. */
interface ThreeWay {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

/** What could not be merged. */
interface Conflict {
  readonly conflicts: readonly string[];
  /** All that merged, and the files in conflict with both sides in them, between markers. */
  readonly tree: string;
}

/** A new commit of ours, or the paths that are in the way. */
export type Merged = { readonly commit: string } | Conflict;

/** More commits than this are merged in one step: each one costs some processes. */
const COMMITS_MAX = 100;
/** Git's exit code for options that it does not know. */
const USAGE = 129;

/**
 * Merges two commits as they come from their history. In the project's repository alone: without a work tree, and nothing that
 * lies in the commits is run or obeyed, so `.gitattributes` choose no driver. Throws `unavailable` where git is older than 2.38.
 */
export async function mergeCommits(repository: Repository, ours: string, theirs: string, message: string): Promise<Merged> {
  const merged = await writeTree(repository, ours, theirs);
  return "conflicts" in merged ? merged : { commit: await commitMerge(repository, merged.tree, [ours, theirs], message) };
}

/**
 * Puts the commits of a branch onto another commit, one by one, with their authors, dates and messages; ones whose change is there
 * already are left out. A branch that holds merges, or very many commits, is merged with it instead: to put its commits
 * in a line would lose how the merges were resolved. Says where the first conflict is, and leaves nothing behind of it.
 */
export async function rebaseCommits(repository: Repository, { base, head }: CommitRange, onto: string): Promise<Merged> {
  const commits = await listCommits(repository, { base, head });
  if (commits.length > COMMITS_MAX || commits.some(({ parents }) => parents.length !== 1))
    return mergeCommits(repository, onto, head, "Merge the base branch\n");
  let tip = onto;
  for (const { id, parents } of commits) {
    const step = await pick(repository, { id, parent: parents[0] ?? base }, tip);
    if ("conflicts" in step) return step;
    tip = step.commit;
  }
  return { commit: tip };
}

/** Merges the trees of three commits, whatever their histories say. */
export async function mergeTrees(repository: Repository, { base, ours, theirs }: ThreeWay): Promise<{ readonly tree: string } | Conflict> {
  // Git takes the merge base from the history (`--merge-base` came with 2.40), so both sides get one that says so.
  const [one, other] = await Promise.all(
    [ours, theirs].map(async (side) => repository.commit(await repository.treeOf(side), base, "One side of a merge\n", 0)),
  );
  return writeTree(repository, one ?? ours, other ?? theirs);
}

interface RangeCommit {
  readonly id: string;
  readonly parents: readonly string[];
}

/** The oldest first. */
async function listCommits(repository: Repository, { base, head }: CommitRange): Promise<RangeCommit[]> {
  const args = [
    "rev-list",
    "--reverse",
    "--topo-order",
    "--parents",
    `--max-count=${COMMITS_MAX + 1}`,
    "--end-of-options",
    `${base}..${head}`,
  ];
  const lines = (await repository.print(args)).split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [id = "", ...parents] = line.split(" ");
    return { id, parents };
  });
}

async function pick(repository: Repository, { id, parent }: { id: string; parent: string }, tip: string): Promise<Merged> {
  if (parent === tip) return { commit: id };
  const merged = await mergeTrees(repository, { base: parent, ours: tip, theirs: id });
  if ("conflicts" in merged) return merged;
  const isInBase = merged.tree === (await repository.treeOf(tip)) && (await repository.treeOf(id)) !== (await repository.treeOf(parent));
  return { commit: isInBase ? tip : await copyCommit(repository, id, merged.tree, tip) };
}

/** A commit like another one, but for its tree and what it stands on. Made again, it is the same one. */
async function copyCommit(repository: Repository, id: string, tree: string, parent: string): Promise<string> {
  const shown = await repository.print([
    "show",
    "--no-patch",
    "--date=raw",
    "--format=%ct%x00%an%x00%ae%x00%ad%x00%B",
    "--end-of-options",
    id,
  ]);
  const [committed = "", name = "", email = "", date = "", message = ""] = shown.split("\0");
  const author = name.trim() === "" ? {} : { author: { name, email, date: `@${date}` } };
  const call = { input: `${message.trimEnd()}\n`, at: Number(committed) * 1000, ...author };
  return (await repository.print(["commit-tree", "-p", parent, "-F", "-", tree], call)).trim();
}

/** Dated as what it takes in, so that the same merge is the same commit. */
async function commitMerge(repository: Repository, tree: string, parents: readonly [string, string], message: string): Promise<string> {
  const committed = await repository.print(["show", "--no-patch", "--format=%ct", "--end-of-options", parents[1]]);
  const named = parents.flatMap((parent) => ["-p", parent]);
  return (await repository.print(["commit-tree", ...named, "-F", "-", tree], { input: message, at: Number(committed) * 1000 })).trim();
}

async function writeTree(repository: Repository, ours: string, theirs: string): Promise<{ readonly tree: string } | Conflict> {
  const args = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs];
  const result = await repository.run(args);
  const [tree = "", ...conflicts] = result.stdout.split("\0").filter((field) => field !== "");
  if (result.exitCode === 0) return { tree };
  if (result.exitCode === 1 && conflicts.length > 0) return { tree, conflicts };
  if (result.exitCode === USAGE)
    throw new AppError("unavailable", "This git can't merge without a work tree. Install git 2.38 or newer.", {
      stderr: safeText(result.stderr),
    });
  if (/unrelated histories/.test(result.stderr))
    throw new AppError("conflict", `${ours.slice(0, 12)} and ${theirs.slice(0, 12)} have no history in common.`);
  throw gitFailure(args, { repository: repository.directory }, result);
}
