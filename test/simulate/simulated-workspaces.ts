import { AppError } from "../../src/base/errors.ts";
import type { Project } from "../../src/contract/project.ts";
import type { CheckResult } from "../../src/contract/proof.ts";
import type { Checkpoint, Task } from "../../src/contract/task.ts";
import type { CommandRequest } from "../../src/engine/parts.ts";
import type { Branches } from "../../src/workspace/branches.ts";
import type { Workspaces } from "../../src/workspace/workspaces.ts";
import type { Incarnation } from "./incarnation.ts";
import type { World, WorldTree } from "./world.ts";

const unmoved = { movedFrom: null, conflicts: [], note: null };

/** The base of the simulated world never moves, so nothing is ever done with finished branches. */
export const unmovedBranches = new Proxy({} as Branches, {
  get: (_, name) => () => {
    throw new Error(`branches.${String(name)} was called, and the base never moved`);
  },
});

/** Workspaces of one incarnation, over the world's trees. */
export function simulatedWorkspaces(world: World, daemon: Incarnation): Workspaces {
  const treeOf = (task: Task) => world.trees.get(task.id);
  const commitOf = (tree: WorldTree) => `commit-${tree.taskId}-${tree.work}`;
  const askRemote = () => {
    if (world.faults.on && world.dice.chance(0.01)) throw new AppError("unavailable", "The remote did not answer.");
  };

  function open(project: Project, task: Task, baseCommit: string) {
    const known = treeOf(task);
    if (known) return { directory: known.directory, baseCommit: known.base, fresh: false, ...unmoved };
    const tree: WorldTree = {
      taskId: task.id,
      directory: `/workspaces/${project.name}/${task.number}`,
      base: baseCommit,
      work: 0,
      saved: 0,
      isGood: false,
    };
    world.trees.set(task.id, tree);
    return { directory: tree.directory, baseCommit, fresh: true, ...unmoved };
  }

  function checkpoint(task: Task, reason: string, at: number): Checkpoint | null {
    const tree = treeOf(task);
    if (!tree) return null;
    tree.saved = tree.work;
    return { index: tree.work + 1, commit: commitOf(tree), at, reason };
  }

  function collect(task: Task) {
    const tree = treeOf(task);
    if (!tree) throw new AppError("not_found", "there is no workspace");
    tree.saved = tree.work;
    if (tree.isGood) world.goodCommits.add(commitOf(tree));
    return { headCommit: commitOf(tree), tree: commitOf(tree), changed: tree.work > 0, changes: ["file | 1 +"] };
  }

  function push(project: Project, branch: string, commit: string): void {
    askRemote();
    world.branches.set(`${project.name}:${branch}`, commit);
  }

  function sweep(isWanted: (taskId: string) => boolean): number {
    const unwanted = [...world.trees.values()].filter((tree) => !isWanted(tree.taskId));
    for (const tree of unwanted) remove(tree);
    return unwanted.length;
  }

  function remove(tree: WorldTree): void {
    if (world.live.some((process) => process.cwd === tree.directory))
      world.fail(`the workspace ${tree.directory} was removed under its agent`);
    world.trees.delete(tree.taskId);
  }

  return {
    fetchBase: () => daemon.call("workspaces.fetchBase", 300, () => (askRemote(), "base-1")),
    open: (project, task, baseCommit) => daemon.call("workspaces.open", 500, () => open(project, task, baseCommit)),
    openBase: (project, baseCommit) =>
      daemon.call("workspaces.openBase", 300, () => ({ directory: `/bases/${project.name}`, baseCommit, fresh: false, ...unmoved })),
    markBaseReady: async () => {},
    holdTrees: () => ({ [Symbol.dispose]: () => {} }),
    move: async () => ({ outcome: "none" }),
    checkpoint: (_project, task, reason, at) => daemon.call("workspaces.checkpoint", 50, () => checkpoint(task, reason, at)),
    checkpoints: async () => [],
    collect: (_project, task) => daemon.call("workspaces.collect", 100, () => collect(task)),
    diff: async () => "",
    archive: async () => {},
    push: (project, _credentials, branch, commit) => daemon.call("workspaces.push", 400, () => push(project, branch, commit)),
    restore: async () => ({ path: "", commit: "", checkpoint: null }),
    rewind: async () => {},
    remove: (_project, task) =>
      daemon.call(
        "workspaces.remove",
        50,
        () => world.trees.has(task.id) && remove(world.trees.get(task.id) as WorldTree),
      ) as Promise<void>,
    sweep: (_projects, _gone, isWanted) => daemon.call("workspaces.sweep", 100, () => sweep(isWanted)),
  };
}

/** A check: fails on the base for some old reason now and then, and on the result when the work is wrong. */
export function simulatedCheck(world: World, daemon: Incarnation) {
  return ({ directory }: CommandRequest): Promise<CheckResult> =>
    daemon.call("check", 30_000, () => {
      const tree = [...world.trees.values()].find((one) => one.directory === directory);
      const passes = tree ? tree.isGood : true;
      return { exitCode: passes ? 0 : 1, durationMs: 30_000, failures: passes ? [] : ["broken by the agent"], outputTail: "" };
    });
}
