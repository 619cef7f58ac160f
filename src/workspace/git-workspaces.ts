import { rename } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { AppError, messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { HomePaths } from "../base/paths.ts";
import { safeText } from "../base/text.ts";
import type { Project } from "../contract/project.ts";
import type { Checkpoint, Task } from "../contract/task.ts";
import { taskSlug } from "../domain/branch-name.ts";
import { BASE_REF, fetchBaseBranch } from "./base-fetch.ts";
import { pushBranch } from "./branch-push.ts";
import { capture, type Capture } from "./capture.ts";
import { CheckpointLists, listCheckpoints, makeCheckpoint, taskRefs } from "./checkpoints.ts";
import { makeClone, MAKING } from "./clone.ts";
import { collectWork } from "./collecting.ts";
import { copyInto, inspectCopies } from "./copied-files.ts";
import { isFolder, look, removeFolder } from "./folders.ts";
import { createGit, type Git, type GitIdentity } from "./git.ts";
import { findRecord, forgetRecord, indexPath, listRecords, saveRecord, type WorkspaceRecord } from "./records.ts";
import { Repository } from "./repository.ts";
import { restoreWork } from "./restoring.ts";
import type { Branches } from "./branches.ts";
import { createBranches } from "./git-branches.ts";
import { findMoved, forgetMoved, keepMoved, moveWork, type MovedWork } from "./moved-work.ts";
import { copyIndex } from "./snapshot.ts";
import { Turns } from "./turns.ts";
import type { CollectedWork, GitCredentials, Move, Workspace, Workspaces } from "./workspaces.ts";

export interface WorkspacesOptions {
  readonly paths: Pick<HomePaths, "repositories" | "workspaces">;
  /** HOME, PATH and SSH_AUTH_SOCK of the daemon: all that git gets of its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Log;
  /** Who commits, in workspaces and for us. */
  readonly identity?: GitIdentity;
}

/** Copies the configured files of the person's checkout into a workspace or a base's tree. They are never taken for the task's work. */
export interface FileCopier {
  copyFiles(project: Project, files: readonly string[], directory: string): Promise<void>;
}

/**
 * Workspaces by git. Work on one task goes one step at a time; tasks and projects go side by side, for each has refs, an
 * index and folders of its own, and git's object store takes several writers.
 */
export function createWorkspaces(options: WorkspacesOptions): Workspaces & FileCopier & { readonly branches: Branches } {
  return new GitWorkspaces(options);
}

const DROVER: GitIdentity = { name: "Drover", email: "drover@localhost" };

const REMOVED = ".removed-";

class GitWorkspaces implements Workspaces, FileCopier {
  private readonly paths: WorkspacesOptions["paths"];
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly identity: GitIdentity;
  private readonly git: Git;
  private readonly repositories = new Map<string, Promise<Repository>>();
  private readonly turns = new Turns();
  private readonly held = new Map<symbol, readonly string[]>();
  private readonly checkpointLists = new CheckpointLists();
  readonly branches: Branches;

  constructor({ paths, env, clock, log, identity = DROVER }: WorkspacesOptions) {
    this.paths = paths;
    this.clock = clock;
    this.log = log;
    this.identity = identity;
    this.git = createGit({ env, clock, identity });
    this.branches = createBranches((project) => this.repository(project));
  }

  async fetchBase(project: Project, credentials: GitCredentials, signal: AbortSignal): Promise<string> {
    const repository = await this.repository(project);
    return this.turns.take(`fetch ${project.id}`, () => fetchBaseBranch(repository, project, credentials, signal));
  }

  async open(project: Project, task: Task, baseCommit: string, signal: AbortSignal): Promise<Workspace> {
    const { branch } = task;
    if (branch === null) throw new AppError("internal", `${task.key} has no branch to be worked on.`);
    const repository = await this.repository(project);
    return this.turns.take(task.id, async () => {
      signal.throwIfAborted();
      const known = await findRecord(repository, ({ taskId }) => taskId === task.id);
      const folder = known?.folder ?? (await this.freeFolder(project, taskSlug(task.number, task.title)));
      const workspace = await this.openTask(project, repository, { folder, taskId: task.id, baseCommit, branch, known }, signal);
      await repository.setRef(`${taskRefs(task.id)}/base`, workspace.baseCommit);
      return workspace;
    });
  }

  async move(project: Project, task: Task, onto: string, { marks, at }: { marks: boolean; at: number }): Promise<Move> {
    const repository = await this.repository(project);
    return this.turns.take(task.id, async () => {
      const found = await this.find(project, repository, task.id);
      const from = found?.record.baseCommit;
      // What was moved and waits to be put into a workspace goes first.
      if (found === null || from === undefined || from === onto || (await findMoved(repository, task.id))) return { outcome: "none" };
      const { commit: work } = await this.save(repository, found, "base_moved", at);
      if (await holdsSubmodules(repository, [from, onto, work])) return { outcome: "kept" };
      const moved = await moveWork(repository, { base: from, head: `${work}^`, work }, onto);
      if (moved.conflicts.length > 0 && !marks) return { outcome: "refused", from, conflicts: moved.conflicts };
      await keepMoved(repository, task.id, { ...moved, from, note: null });
      return { outcome: "moved", from, conflicts: moved.conflicts };
    });
  }

  holdTrees(commits: readonly string[]): Disposable {
    const key = Symbol("held");
    this.held.set(key, commits);
    return { [Symbol.dispose]: () => void this.held.delete(key) };
  }

  async openBase(project: Project, baseCommit: string, setUp: string, signal: AbortSignal): Promise<Workspace> {
    const repository = await this.repository(project);
    return this.turns.take(`base ${project.id}`, async () => {
      signal.throwIfAborted();
      const known = await findBase(repository, baseCommit);
      // What another set-up left in it would be mixed with that of the new one.
      if (known && known.readyFor !== null && known.readyFor !== setUp) await this.discard(project, known);
      // A project that was registered anew has the same folder for its workspaces, and may have the same base.
      const folder = known?.folder ?? (await this.freeFolder(project, `base-${baseCommit.slice(0, 12)}-${project.id.slice(-8)}`));
      const workspace = await this.openFolder(project, repository, { folder, taskId: null, baseCommit, branch: null, known }, signal);
      if (!workspace.fresh) await resetFiles(repository, workspace, indexPath(repository, folder));
      return { ...workspace, fresh: workspace.fresh || known?.readyFor !== setUp };
    });
  }

  async markBaseReady(project: Project, baseCommit: string, setUp: string): Promise<void> {
    const repository = await this.repository(project);
    await this.turns.take(`base ${project.id}`, async () => {
      const record = await findBase(repository, baseCommit);
      if (record) await saveRecord(repository, { ...record, readyFor: setUp });
    });
  }

  async copyFiles(project: Project, files: readonly string[], directory: string): Promise<void> {
    if (files.length === 0) return;
    const repository = await this.repository(project);
    const record = await findRecord(repository, ({ folder }) => this.place(project, folder) === directory);
    if (record === undefined) throw new AppError("not_found", `${directory} is no workspace of ${project.name}.`);
    const tracked = new Set((await repository.print(["ls-tree", "-r", "-z", "--name-only", record.baseCommit])).split("\0"));
    const copied = await inspectCopies(project.path, files, tracked);
    // Noted first: a copy that a crash leaves behind is known as one all the same.
    await saveRecord(repository, { ...record, copied });
    await copyInto(directory, project.path, Object.keys(copied));
  }

  async checkpoint(project: Project, task: Task, reason: string, at: number): Promise<Checkpoint | null> {
    const repository = await this.repository(project);
    return this.turns.take(task.id, async () => {
      const found = await this.find(project, repository, task.id);
      return found && this.save(repository, found, reason, at);
    });
  }

  async checkpoints(project: Project, task: Task): Promise<Checkpoint[]> {
    return this.checkpointLists.list(await this.repository(project), task.id);
  }

  async collect(project: Project, task: Task, baseCommit: string, message: string): Promise<CollectedWork> {
    const repository = await this.repository(project);
    return this.turns.take(task.id, async () => {
      const found = await this.find(project, repository, task.id);
      if (found === null) throw new AppError("not_found", `${task.key} has no workspace: something removed it.`);
      const captured = await this.captureAll(repository, found);
      if (captured.problems.length > 0) throw notWhole(found.directory, captured);
      return collectWork(repository, captured, { ...found, taskId: task.id, baseCommit, message });
    });
  }

  async diff(project: Project, task: Task, checkpoint: number | null): Promise<string> {
    const repository = await this.repository(project);
    const base = await repository.findCommit(`${taskRefs(task.id)}/base`);
    const saved = await this.savedCommit(repository, task, checkpoint);
    if (base === undefined || saved === undefined) throw notSaved(task, checkpoint);
    return repository.print(["diff", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none", base, saved.commit]);
  }

  async archive(project: Project, commit: string, file: string, signal: AbortSignal): Promise<void> {
    const repository = await this.repository(project);
    await repository.print(["archive", "--format=tar", `--output=${file}`, commit], { signal });
  }

  async push(project: Project, credentials: GitCredentials, branch: string, commit: string, signal: AbortSignal): Promise<void> {
    const repository = await this.repository(project);
    await this.turns.take(`push ${project.id} ${branch}`, () => pushBranch(repository, { project, credentials, branch, commit }, signal));
  }

  async restore(
    project: Project,
    task: Task,
    checkpoint: number | null,
    to: string,
  ): Promise<{ path: string; commit: string; checkpoint: number | null }> {
    const repository = await this.repository(project);
    const saved = await this.savedCommit(repository, task, checkpoint);
    if (saved === undefined) throw notSaved(task, checkpoint);
    await restoreWork(repository, {
      to,
      commit: saved.commit,
      branch: task.branch ?? `restored/${taskSlug(task.number, task.title)}`,
      remote: project.remote,
    });
    return { path: to, ...saved };
  }

  async rewind(project: Project, task: Task, checkpoint: number, at: number): Promise<void> {
    const repository = await this.repository(project);
    await this.turns.take(task.id, async () => {
      const found = await this.find(project, repository, task.id);
      if (found === null)
        throw new AppError("not_found", `${task.key} has no workspace any more: drover task restore gets its saved work.`);
      const saved = await this.savedCommit(repository, task, checkpoint);
      if (saved === undefined) throw notSaved(task, checkpoint);
      const now = await this.save(repository, found, "rewinding", at);
      await setFiles(repository, found.directory, { from: now.commit, to: saved.commit });
    });
  }

  async remove(project: Project, task: Task, at: number): Promise<void> {
    const repository = await this.repository(project);
    await this.turns.take(task.id, () => this.removeSaved(project, repository, task.id, at));
  }

  async sweep(projects: readonly Project[], gone: readonly Project[], isWanted: (taskId: string) => boolean): Promise<number> {
    let removed = 0;
    for (const project of [...projects, ...gone]) {
      try {
        removed += await this.sweepProject(project, gone.includes(project), isWanted);
      } catch (error) {
        // The other projects' are swept all the same, and this one's at the next time.
        this.log.warn("workspaces could not be swept", { projectId: project.id, error: messageOf(error) });
      }
    }
    return removed;
  }

  private repository(project: Project): Promise<Repository> {
    const known = this.repositories.get(project.id);
    if (known) return known;
    const opening = this.openRepository(project);
    this.repositories.set(project.id, opening);
    opening.catch(() => this.repositories.delete(project.id));
    return opening;
  }

  /** Before anything else happens to the project: nothing of it that is half made or half removed can be in use. */
  private async openRepository(project: Project): Promise<Repository> {
    const repository = await Repository.open(this.git, this.repositoryPath(project), this.identity);
    for (const { folder } of await listRecords(repository))
      for (const prefix of [REMOVED, MAKING]) await removeFolder(this.place(project, `${prefix}${folder}`));
    return repository;
  }

  private repositoryPath({ id }: Project): string {
    return join(this.paths.repositories, `${id}.git`);
  }

  private place(project: Project, folder: string): string {
    return join(this.paths.workspaces, project.name, folder);
  }

  /** A name that no other task's folder has: a project that was registered anew counts from 1 again. */
  private async freeFolder(project: Project, name: string): Promise<string> {
    for (let count = 1; ; count++) {
      const folder = count === 1 ? name : `${name}-${count}`;
      if ((await look(this.place(project, folder))) === undefined) return folder;
    }
  }

  /** A workspace whose work was moved is made anew: what lies in it is saved, and on the new base. */
  private async openTask(
    project: Project,
    repository: Repository,
    opening: Opening & { taskId: string },
    signal: AbortSignal,
  ): Promise<Workspace> {
    const { taskId, known } = opening;
    const moved = await findMoved(repository, taskId);
    if (moved === undefined) return this.openFolder(project, repository, opening, signal);
    const isDone = known?.baseCommit === moved.baseCommit && (await isFolder(this.place(project, known.folder)));
    if (known && !isDone) await this.discard(project, known);
    const workspace = await this.openFolder(project, repository, { ...opening, moved }, signal);
    await forgetMoved(repository, taskId);
    return workspace;
  }

  private async openFolder(
    project: Project,
    repository: Repository,
    { folder, taskId, baseCommit: wanted, branch, known, moved }: Opening,
    signal: AbortSignal,
  ): Promise<Workspace> {
    const directory = this.place(project, folder);
    if (known && (await isFolder(directory))) {
      const { baseCommit, movedFrom, conflicts, note } = known;
      return { directory, fresh: false, baseCommit, movedFrom, conflicts, note };
    }
    const facts = {
      baseCommit: moved?.baseCommit ?? wanted,
      movedFrom: moved?.from ?? null,
      conflicts: moved?.conflicts ?? [],
      note: moved?.note ?? null,
    };
    await saveRecord(repository, { folder, taskId, copied: {}, readyFor: null, ...facts });
    await makeClone(repository, { directory, commit: facts.baseCommit, baseBranch: project.baseBranch, branch, moved, signal });
    return { directory, fresh: true, ...facts };
  }

  private async find(project: Project, repository: Repository, taskId: string): Promise<FoundWorkspace | null> {
    const record = await findRecord(repository, (one) => one.taskId === taskId);
    if (record === undefined) return null;
    const directory = this.place(project, record.folder);
    return (await isFolder(directory)) ? { record, directory, taskId } : null;
  }

  private captureAll(repository: Repository, { record, directory, taskId }: FoundWorkspace): Promise<Capture> {
    return capture(repository, { directory, record, refs: taskRefs(taskId) });
  }

  private async save(repository: Repository, found: FoundWorkspace, reason: string, at: number): Promise<Checkpoint> {
    const captured = await this.captureAll(repository, found);
    const parent = captured.head ?? found.record.baseCommit;
    const checkpoint = await makeCheckpoint(repository, found.taskId, { tree: captured.tree, parent, reason, at }).finally(() =>
      // Also when it failed: git may have made it and been cut off behind that.
      this.checkpointLists.forget(found.taskId),
    );
    if (captured.problems.length > 0) throw notWhole(found.directory, captured);
    return checkpoint;
  }

  /** The checkpoint asked for; for null the collected head or, without one, the newest checkpoint. */
  private async savedCommit(
    repository: Repository,
    task: Task,
    checkpoint: number | null,
  ): Promise<{ commit: string; checkpoint: number | null } | undefined> {
    const all = await listCheckpoints(repository, task.id);
    if (checkpoint !== null) {
      const wanted = all.find(({ index }) => index === checkpoint);
      return wanted && { commit: wanted.commit, checkpoint };
    }
    const last = all.at(-1);
    const head = await repository.findCommit(`${taskRefs(task.id)}/head`);
    if (head !== undefined) return { commit: head, checkpoint: null };
    return last && { commit: last.commit, checkpoint: last.index };
  }

  private async removeSaved(project: Project, repository: Repository, taskId: string, at: number): Promise<void> {
    const found = await this.find(project, repository, taskId);
    if (found !== null) {
      const { commit } = await this.save(repository, found, "removing", at);
      // Proves that all of it is there, down to the last file.
      await repository.print(["rev-list", "--objects", "--quiet", commit, `--not`, found.record.baseCommit]);
      await this.discard(project, found.record);
    }
    const record = await findRecord(repository, (one) => one.taskId === taskId);
    if (record) await forgetRecord(repository, record);
    await this.tidy(project, repository);
  }

  /** Packs what has come together, and deletes nothing. */
  private async tidy(project: Project, repository: Repository): Promise<void> {
    const config = { "gc.auto": "1000", "gc.pruneExpire": "never", "gc.autoDetach": "false" };
    const { exitCode, stderr } = await repository.run(["gc", "--auto", "--quiet"], { config });
    if (exitCode !== 0) this.log.warn("a project's repository could not be packed", { projectId: project.id, stderr });
  }

  /** Out of the way at once, if it is there; a removal that is cut short goes on at the next start. */
  private async discard(project: Project, { folder }: WorkspaceRecord): Promise<void> {
    if ((await look(this.place(project, folder))) === undefined) return;
    const removed = this.place(project, `${REMOVED}${folder}`);
    await removeFolder(removed);
    await rename(this.place(project, folder), removed);
    await removeFolder(removed);
  }

  private async sweepProject(project: Project, isGone: boolean, isWanted: (taskId: string) => boolean): Promise<number> {
    // Nothing was ever done in it.
    if (isGone && (await look(this.repositoryPath(project))) === undefined) return 0;
    const repository = await this.repository(project);
    let removed = 0;
    for (const { taskId } of await listRecords(repository)) {
      if (taskId === null || isWanted(taskId)) continue;
      try {
        await this.turns.take(taskId, () => this.removeSaved(project, repository, taskId, this.clock.now()));
        removed++;
      } catch (error) {
        this.log.warn("a workspace is kept: its work could not be saved", {
          projectId: project.id,
          taskId,
          error: messageOf(error),
        });
      }
    }
    await this.sweepBases(project, repository, isGone);
    return removed;
  }

  /** Trees of the base hold nobody's work; those of the current base and of bases that tasks build on are still of use. */
  private async sweepBases(project: Project, repository: Repository, isGone: boolean): Promise<void> {
    const records = await listRecords(repository);
    const used = new Set([
      ...[...this.held.values()].flat(),
      isGone ? undefined : await repository.findCommit(BASE_REF),
      ...records.flatMap((record) => (record.taskId === null ? [] : [record.baseCommit])),
    ]);
    for (const record of records) {
      if (record.taskId !== null || used.has(record.baseCommit)) continue;
      await this.turns.take(`base ${project.id}`, async () => {
        await this.discard(project, record);
        await forgetRecord(repository, record);
      });
    }
  }
}

interface Opening {
  readonly folder: string;
  readonly taskId: string | null;
  readonly baseCommit: string;
  readonly branch: string | null;
  readonly known: WorkspaceRecord | undefined;
  readonly moved?: MovedWork;
}

interface FoundWorkspace {
  readonly record: WorkspaceRecord;
  readonly directory: string;
  readonly taskId: string;
}

function findBase(repository: Repository, baseCommit: string): Promise<WorkspaceRecord | undefined> {
  return findRecord(repository, (record) => record.taskId === null && record.baseCommit === baseCommit);
}

/** Puts a base's tree back as the commit has it. What git does not hold stays: the set-up made it, and checks may have left some. */
async function resetFiles(repository: Repository, { directory, baseCommit }: Workspace, index: string): Promise<void> {
  await repository.withScratch(async (scratch) => {
    const call = { workTree: directory, index: join(scratch, "index") };
    if (await look(index)) await copyIndex(index, call.index);
    await repository.print(["read-tree", "--reset", "-u", baseCommit], call);
  });
}

/** Makes the files of a folder, which are those of one commit, those of another. What neither holds stays. */
async function setFiles(repository: Repository, directory: string, { from, to }: { from: string; to: string }): Promise<void> {
  await repository.withScratch(async (scratch) => {
    const call = { workTree: directory, index: join(scratch, "index") };
    await repository.print(["read-tree", from], call);
    await repository.print(["read-tree", "--reset", "-u", to], call);
  });
}

/** A saved tree holds the files of submodules in the place of their commits: moving it would give those up. */
async function holdsSubmodules(repository: Repository, commits: readonly string[]): Promise<boolean> {
  for (const commit of commits)
    if (/(?:^|\0)160000 /.test(await repository.print(["ls-tree", "-r", "-z", "--end-of-options", commit]))) return true;
  return false;
}

function notWhole(directory: string, { problems }: Capture): AppError {
  const some = safeText(problems.slice(0, 5).join("; "));
  return new AppError(
    "conflict",
    `Not everything in ${directory} could be saved, so it is kept: ${some}. What could be saved is saved; put the rest right and try again.`,
    { problems },
  );
}

function notSaved(task: Task, checkpoint: number | null): AppError {
  const what = checkpoint === null ? "no saved work" : `no checkpoint ${checkpoint}`;
  return new AppError("not_found", `${task.key} has ${what}.`);
}
