import type { Project } from "../contract/project.ts";
import type { Task } from "../contract/task.ts";
import { advanceBranch, lookAtBranch } from "./branch-push.ts";
import type { BranchCommits, Branches } from "./branches.ts";
import { taskRefs } from "./checkpoints.ts";
import { describeChanges } from "./collecting.ts";
import { changesBetween, textAt } from "./file-changes.ts";
import { findChange, takeInChange } from "./foreign-change.ts";
import { mergeCommits, rebaseCommits } from "./merging.ts";
import { keepMoved, moveWork } from "./moved-work.ts";
import type { Repository } from "./repository.ts";

/** @param repositoryOf opens the daemon's own repository of a project. */
export function createBranches(repositoryOf: (project: Project) => Promise<Repository>): Branches {
  return {
    rebase: async (project, { baseCommit, headCommit }, onto) =>
      rebaseCommits(await repositoryOf(project), { base: baseCommit, head: headCommit }, onto),

    merge: async (project, ours, theirs, message) => mergeCommits(await repositoryOf(project), ours, theirs, message),

    async isIn(project, commit, history) {
      const repository = await repositoryOf(project);
      return (await repository.run(["merge-base", "--is-ancestor", commit, history])).exitCode === 0;
    },

    async isSameTree(project, one, other) {
      const repository = await repositoryOf(project);
      return (await repository.treeOf(one)) === (await repository.treeOf(other));
    },

    describe: async (project, { baseCommit, headCommit }) => describeChanges(await repositoryOf(project), baseCommit, headCommit),

    changes: async (project, from, to, signal) => changesBetween(await repositoryOf(project), from, to, signal),

    textAt: async (project, commit, path) => textAt(await repositoryOf(project), commit, path),

    look: async (project, credentials, branch, signal) =>
      lookAtBranch(await repositoryOf(project), { project, credentials, branch }, signal),

    keep: async (project, task, branch) => keep(await repositoryOf(project), task, branch),

    async prepare(project, task, { baseCommit, headCommit }, { onto, note }) {
      const repository = await repositoryOf(project);
      const moved = await moveWork(repository, { base: baseCommit, head: headCommit, work: headCommit }, onto);
      await keepMoved(repository, task.id, { ...moved, from: baseCommit, note });
      return moved.conflicts;
    },

    advance: async (project, credentials, move, signal) =>
      advanceBranch(await repositoryOf(project), { project, credentials, ...move }, signal),

    takeIn: async (project, credentials, { id: taskId }, refs, signal) =>
      takeInChange(await repositoryOf(project), { project, credentials, taskId, refs }, signal),

    takenIn: async (project, { id }) => findChange(await repositoryOf(project), id),
  };
}

async function keep(repository: Repository, { id }: Task, { baseCommit, headCommit }: BranchCommits): Promise<void> {
  const refs = [`update ${taskRefs(id)}/base ${baseCommit}`, `update ${taskRefs(id)}/head ${headCommit}`];
  await repository.print(["update-ref", "--stdin"], { input: `${refs.join("\n")}\n` });
}
