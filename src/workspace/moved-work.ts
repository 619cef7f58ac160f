import { taskRefs } from "./checkpoints.ts";
import { mergeTrees, rebaseCommits, type CommitRange } from "./merging.ts";
import type { Repository } from "./repository.ts";

/** Work that its task's workspace is to hold when it is made anew: on another base than before. */
export interface MovedWork {
  /** The base that it was on before. */
  readonly from: string;
  readonly baseCommit: string;
  /** Where the task's branch stands. */
  readonly head: string;
  /** A commit on `head` with the files as they are to lie in the folder: what was uncommitted stays so. */
  readonly work: string;
  /** Files with both sides in them, between markers. */
  readonly conflicts: string[];
  /** What else the agent must know of it; null: nothing. */
  readonly note: string | null;
}

/** Before it is a commit: the files as a tree. */
type MovedTree = Omit<MovedWork, "work"> & { readonly tree: string };

/** What is to be moved: the branch, and the commit on its head with everything that lay in the workspace. */
interface WorkToMove extends CommitRange {
  readonly work: string;
}

/**
 * Works out what a task's work is on another base. Its commits stay what they are where each of them fits; else, and where
 * they don't build on the old base, all of it is one uncommitted change.
 */
export async function moveWork(
  repository: Repository,
  { base, head, work }: WorkToMove,
  onto: string,
): Promise<Omit<MovedTree, "from" | "note">> {
  const builds = (await repository.run(["merge-base", "--is-ancestor", base, head])).exitCode === 0;
  const rebased = builds ? await rebaseCommits(repository, { base, head }, onto) : undefined;
  if (rebased !== undefined && "commit" in rebased) {
    const files = await mergeTrees(repository, { base: head, ours: rebased.commit, theirs: work });
    if (!("conflicts" in files)) return { baseCommit: onto, head: rebased.commit, tree: files.tree, conflicts: [] };
  }
  const whole = await mergeTrees(repository, { base, ours: onto, theirs: work });
  return { baseCommit: onto, head: onto, tree: whole.tree, conflicts: "conflicts" in whole ? [...whole.conflicts] : [] };
}

/** Keeps moved work behind a ref until the workspace was made from it. All that has to be known of it is in its commit. */
export async function keepMoved(repository: Repository, taskId: string, moved: MovedTree): Promise<void> {
  const facts = [
    `From: ${moved.from}`,
    `Base: ${moved.baseCommit}`,
    ...moved.conflicts.map((path) => `Conflict: ${JSON.stringify(path)}`),
    `Note: ${JSON.stringify(moved.note)}`,
  ];
  const work = await repository.commit(moved.tree, moved.head, `Moved onto another base\n\n${facts.join("\n")}\n`);
  await repository.setRef(movedRef(taskId), work);
}

export async function findMoved(repository: Repository, taskId: string): Promise<MovedWork | undefined> {
  const work = await repository.findCommit(movedRef(taskId));
  if (work === undefined) return undefined;
  const [head = "", ...message] = (await repository.print(["show", "--no-patch", "--format=%P%n%B", work])).split("\n");
  const valuesOf = (name: string) => message.flatMap((line) => (line.startsWith(`${name}: `) ? [line.slice(name.length + 2)] : []));
  const [[from = ""], [baseCommit = ""]] = [valuesOf("From"), valuesOf("Base")];
  const conflicts = valuesOf("Conflict").map((path) => JSON.parse(path) as string);
  return { from, baseCommit, head, work, conflicts, note: JSON.parse(valuesOf("Note")[0] ?? "null") as string | null };
}

/** The workspace holds it now; its commits stay behind the other refs of the task. */
export async function forgetMoved(repository: Repository, taskId: string): Promise<void> {
  await repository.print(["update-ref", "-d", movedRef(taskId)]);
}

function movedRef(taskId: string): string {
  return `${taskRefs(taskId)}/moved`;
}
