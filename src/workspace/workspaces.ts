import type { Project } from "../contract/project.ts";
import type { Checkpoint, Task } from "../contract/task.ts";

/** How git reaches a project's remote: given to each git call by environment, stored nowhere. */
export interface GitCredentials {
  /** The password of basic authentication (user `x-access-token`); null: what ssh or the path itself allows. */
  readonly token: string | null;
}

/** The directory a task is worked on in. */
export interface Workspace {
  readonly directory: string;
  /** The commit it was cut from: that of its making, not of a later `open`. */
  readonly baseCommit: string;
  /** False when it was there already: set up before, to be gone on with. */
  readonly fresh: boolean;
  /** The base that its work was moved from; null: it was not. */
  readonly movedFrom: string | null;
  /** Files in which that left both sides, between markers, for somebody to choose. */
  readonly conflicts: readonly string[];
  /** What else is to be known of the move; null: nothing. */
  readonly note: string | null;
}

/**
 * What a move onto another base came to. `none`: there is no workspace, or it is there already. `kept`: it holds submodules, whose
 * files can't be moved, and stays where it is. `refused`: it would conflict, and nothing was changed.
 */
export type Move =
  | { readonly outcome: "none" | "kept" }
  | { readonly outcome: "moved" | "refused"; readonly from: string; readonly conflicts: readonly string[] };

/** What a task's work comes to. */
export interface CollectedWork {
  readonly headCommit: string;
  /** The name of its tree: the same for the same files. */
  readonly tree: string;
  /** Whether the tree differs from the base's. */
  readonly changed: boolean;
  /** `git diff --stat`, at most 50 lines. */
  readonly changes: string[];
}

/**
 * Workspaces and the daemon's own bare repository of each project, the only one it trusts. It fetches refs out of
 * workspaces and never runs git with a configuration that an agent could have written.
 */
export interface Workspaces {
  /** Brings the base branch from the remote and returns its commit. `unavailable`: the remote did not answer; `invalid`: it has no such branch or no commit. */
  fetchBase(project: Project, credentials: GitCredentials, signal: AbortSignal): Promise<string>;
  /** The task's workspace, made at `baseCommit` on the task's branch unless it is there already. */
  open(project: Project, task: Task, baseCommit: string, signal: AbortSignal): Promise<Workspace>;
  /**
   * Moves what is in the task's workspace onto another commit of the base: its commits, and uncommitted and untracked files too.
   * Everything is saved first. The next `open` makes the workspace anew from it, `fresh`; no run may be at work in it. With
   * `marks`, files that conflict get both sides.
   */
  move(project: Project, task: Task, onto: string, options: { marks: boolean; at: number }): Promise<Move>;
  /**
   * A clean tree of a commit to run the base's checks in: the same one for the same commit, `fresh` until `markBaseReady`.
   * `setUp` is a key of how it is set up; one that was set up in another way is made anew.
   */
  openBase(project: Project, baseCommit: string, setUp: string, signal: AbortSignal): Promise<Workspace>;
  /** Notes that a base's tree is set up: a set-up that failed or was cut short is done again. */
  markBaseReady(project: Project, baseCommit: string, setUp: string): Promise<void>;
  /** Keeps the trees of these commits from being swept until it is disposed of. */
  holdTrees(commits: readonly string[]): Disposable;
  /** Everything in the task's workspace, untracked files too, behind a ref of ours. Null: there is no workspace. No change since the last one: that one. */
  checkpoint(project: Project, task: Task, reason: string, at: number): Promise<Checkpoint | null>;
  checkpoints(project: Project, task: Task): Promise<Checkpoint[]>;
  /** Commits what the agent left uncommitted (with `message`), and brings its branch behind a ref of ours. */
  collect(project: Project, task: Task, baseCommit: string, message: string): Promise<CollectedWork>;
  /** The patch from the base to one of the task's checkpoints; null: to its collected head or, without one, its newest checkpoint. */
  diff(project: Project, task: Task, checkpoint: number | null): Promise<string>;
  /** Writes the tree of a commit of the base as a tar file. */
  archive(project: Project, commit: string, file: string, signal: AbortSignal): Promise<void>;
  /** Pushes a commit of ours to a branch of the remote; repeating it changes nothing. `conflict`: somebody else moved the branch. */
  push(project: Project, credentials: GitCredentials, branch: string, commit: string, signal: AbortSignal): Promise<void>;
  /** Writes saved work (chosen as for `diff`) to a new folder. `not_found`: no such checkpoint, or none; `conflict`: the folder exists. */
  restore(
    project: Project,
    task: Task,
    checkpoint: number | null,
    to: string,
  ): Promise<{ path: string; commit: string; checkpoint: number | null }>;
  /**
   * Sets the files of the task's workspace back to what one of its checkpoints holds, after saving what is there. Files that
   * no checkpoint holds, such as installed dependencies, stay. `not_found`: no workspace, or no such checkpoint.
   */
  rewind(project: Project, task: Task, checkpoint: number, at: number): Promise<void>;
  /** Removes the task's workspace after proving that all in it is reachable from a ref of ours; otherwise saves it first. */
  remove(project: Project, task: Task, at: number): Promise<void>;
  /**
   * Folders of workspaces for which `isWanted(taskId)` says no, each removed as `remove` does. Returns how many. Of projects
   * that are `gone` (nothing new begins in them) the trees of bases go too.
   */
  sweep(projects: readonly Project[], gone: readonly Project[], isWanted: (taskId: string) => boolean): Promise<number>;
}
