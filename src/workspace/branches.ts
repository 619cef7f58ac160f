import type { Project } from "../contract/project.ts";
import type { Task } from "../contract/task.ts";
import type { FileChange } from "../domain/file-change.ts";
import type { ChangeRefs, ForeignChange } from "./foreign-change.ts";
import type { Merged } from "./merging.ts";
import type { GitCredentials } from "./workspaces.ts";

/** A finished branch: the commit of the base that it builds on, and its last one. */
export interface BranchCommits {
  readonly baseCommit: string;
  readonly headCommit: string;
}

/** Who moved a branch at the remote last: we, or somebody else. */
export type BranchSight = { readonly state: "ours"; readonly commit: string } | { readonly state: "foreign" } | { readonly state: "gone" };

/** What is done with finished branches in the daemon's own repository of a project: no work tree, nothing of the branches is run. */
export interface Branches {
  /** The branch on another commit of the base (`merging.ts`). The same again is the same commit. */
  rebase(project: Project, branch: BranchCommits, onto: string): Promise<Merged>;
  /** Both together, as a merge commit. The same again is the same commit. */
  merge(project: Project, ours: string, theirs: string, message: string): Promise<Merged>;
  /** Whether the commit is in the history of another one. */
  isIn(project: Project, commit: string, history: string): Promise<boolean>;
  /** Whether both have the same files. */
  isSameTree(project: Project, one: string, other: string): Promise<boolean>;
  /** Lines of `git diff --stat` over the branch, at most 50. */
  describe(project: Project, branch: BranchCommits): Promise<string[]>;
  /** What each file has in one commit that it has not in another, by path. A moved file is a removed one and an added one. */
  changes(project: Project, from: string, to: string, signal: AbortSignal): Promise<FileChange[]>;
  /** The text of a file of a commit; empty: it has no such file, or none that is text. */
  textAt(project: Project, commit: string, path: string): Promise<string>;
  /** The branch as the remote has it. Throws `unavailable` when that did not answer. */
  look(project: Project, credentials: GitCredentials, branch: string, signal: AbortSignal): Promise<BranchSight>;
  /** Notes what the task's work is now: `diff` and `restore` show that. */
  keep(project: Project, task: Task, branch: BranchCommits): Promise<void>;
  /**
   * Makes the task's next workspace hold the branch on the new base, with both sides in the files that conflict. Returns those.
   * `note`: what else its agent must know of it.
   */
  prepare(project: Project, task: Task, branch: BranchCommits, move: { onto: string; note: string | null }): Promise<readonly string[]>;
  /**
   * Moves the base branch at the remote from one commit to a later one. Throws `conflict` when it is not at `from` any more,
   * or is checked out there: a checkout is never moved.
   */
  advance(project: Project, credentials: GitCredentials, move: { from: string; to: string }, signal: AbortSignal): Promise<void>;
  /** Brings what somebody else did from the remote, for a task that is to look at it. Throws `invalid` when it is not there. */
  takeIn(project: Project, credentials: GitCredentials, task: Task, refs: ChangeRefs, signal: AbortSignal): Promise<ForeignChange>;
  /** The same as it was brought before; undefined: it was not. */
  takenIn(project: Project, task: Task): Promise<ForeignChange | undefined>;
}
