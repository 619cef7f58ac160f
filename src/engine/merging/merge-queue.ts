import { AppError, messageOf } from "../../base/errors.ts";
import type { Branch } from "../../contract/branch.ts";
import { firstBroken } from "../../domain/bisect.ts";
import { quietTitle } from "../../publish/quiet-text.ts";
import { raiseAlert, resolveAlerts } from "../../store/alerts.ts";
import { dequeueBranch, findBranch, listMergeQueue, noteWaiting, settleBranch } from "../../store/branches.ts";
import { getTask } from "../../store/tasks.ts";
import { describeBroken } from "./commit-checker.ts";
import { giveBack } from "./conflict.ts";
import { standingOf, type Scene, type Standing } from "./scene.ts";

/** Merged and tested together at most. */
const TOGETHER_MAX = 50;
/** Of a branch that left the queue unmerged. */
const MERGE_FAILED = "merge_failed";
/** Of a project whose base could not be advanced. */
const BASE_REFUSED = "base_refused";

/** A branch, and the base with it and all before it merged. */
interface Layer {
  readonly branch: Branch;
  readonly commit: string;
}

/**
 * Merges what waits in a project's queue and can be merged, in order: all of it together onto the base, checked once. When that fails,
 * the branch with which it begins to fail is looked for and leaves the queue; the others go on without it. Nothing is
 * noted of a merge but what the remote and the forge say, so a daemon that dies in between does nothing twice.
 * True: the base has moved, so it is worth to look again.
 */
export async function mergeQueued(scene: Scene, base: string): Promise<boolean> {
  let candidates = await readyBranches(scene, base);
  while (candidates.length > 0) {
    const layers = await stack(scene, base, candidates);
    if (layers.length === 0) return false;
    const broken = await findBroken(scene, base, layers);
    if (broken === undefined) {
      const { moved, refused } = await advance(scene, base, layers);
      if (moved || refused === null) return moved;
      candidates = without(layers, refused);
    } else {
      await dismiss(scene, broken.branch, `the checks fail on the base with it:\n${broken.failure}`);
      candidates = without(layers, broken.branch);
    }
  }
  return false;
}

function without(layers: readonly Layer[], { taskId }: Branch): Branch[] {
  return layers.flatMap(({ branch }) => (branch.taskId === taskId ? [] : [branch]));
}

/** Those that the forge has nothing against, in order. The others wait, or leave the queue. */
async function readyBranches(scene: Scene, base: string): Promise<Branch[]> {
  const { parts, project, config, forge } = scene;
  const ready: Branch[] = [];
  for (const branch of listMergeQueue(parts.database.reader, project.id).slice(0, TOGETHER_MAX)) {
    if (config.checks.length === 0) {
      await dismiss(scene, branch, "the project has no checks, so nothing would show that it works. Add some: drover config set checks");
      continue;
    }
    const standing = await standingOf(scene, branch, base);
    // A conflict that the forge sees shows here too, and is given back.
    const isReady = standing.state === "ready" || standing.state === "conflict";
    if (isReady && forge.mergesPulls && branch.pullRequest === null) {
      await dismiss(scene, branch, "it has no pull request that could be merged");
    } else if (isReady) ready.push(branch);
    else await wait(scene, branch, standing);
  }
  return ready;
}

async function wait({ parts }: Scene, branch: Branch, standing: Standing): Promise<void> {
  if (standing.state === "settled") return;
  const message = "message" in standing ? `Waits: ${standing.message}.` : null;
  await parts.database.write((tx) => noteWaiting(tx, branch, message));
}

/** One upon the other. One that conflicts with those before it waits for the next time; one that conflicts with the base is given back. */
async function stack(scene: Scene, base: string, branches: readonly Branch[]): Promise<Layer[]> {
  const { parts, project } = scene;
  const layers: Layer[] = [];
  for (const branch of branches) {
    const { title } = getTask(parts.database.reader, branch.taskId);
    const message = `Merge ${branch.name}\n\n${quietTitle(title)}\n\nTask: ${branch.taskKey}\n`;
    const below = layers.at(-1)?.commit ?? base;
    const merged = await parts.branches.merge(project, below, branch.headCommit, message);
    if ("commit" in merged) layers.push({ branch, commit: merged.commit });
    else if (below === base) await giveBack(scene, branch, base, merged);
    else await parts.database.write((tx) => noteWaiting(tx, branch, "Waits: it conflicts with what is merged before it."));
  }
  return layers;
}

/** The branch with which it begins to fail, and how; undefined: all together pass. */
async function findBroken(scene: Scene, base: string, layers: readonly Layer[]): Promise<{ branch: Branch; failure: string } | undefined> {
  const failures = new Map<number, string | undefined>();
  const failureOf = async (first: number) => {
    const layer = layers[first - 1];
    if (layer === undefined) return undefined;
    const title = `${layer.branch.taskKey} of the merge queue`;
    const failure = describeBroken(await scene.checker.compare(scene, { base, head: layer.commit }, title, scene.signal));
    failures.set(first, failure);
    return failure;
  };
  if ((await failureOf(layers.length)) === undefined) return undefined;
  const first = await firstBroken(layers.length, async (one) => (await failureOf(one)) !== undefined);
  const layer = layers[first - 1];
  return layer && { branch: layer.branch, failure: failures.get(first) ?? "" };
}

/** `refused`: the first one that the forge would not merge, so that nothing was merged. */
interface Advance {
  readonly moved: boolean;
  readonly refused: Branch | null;
}

/** Merges for good. Somebody who moved the base meanwhile has the next look begin anew. */
async function advance(scene: Scene, base: string, layers: readonly Layer[]): Promise<Advance> {
  const { parts, project, forge, credentials, signal } = scene;
  const moved = { moved: true, refused: null };
  if ((await parts.workspaces.fetchBase(project, credentials, signal)) !== base) return moved;
  if (forge.mergesPulls) return mergePulls(scene, layers);
  const to = layers.at(-1)?.commit ?? base;
  try {
    await parts.branches.advance(project, credentials, { from: base, to }, signal);
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== "conflict") throw thrown;
    if (thrown.details["isStale"] === true) return moved;
    await tellRefused(scene, layers, thrown.message);
    return { moved: false, refused: null };
  }
  for (const { branch } of layers) await noteMerged(scene, branch);
  return moved;
}

/** One after the other: the forge makes the merge commits. What it refuses waits, with all that was tested on top of it. */
async function mergePulls(scene: Scene, layers: readonly Layer[]): Promise<Advance> {
  const { parts, project, forge, credentials, signal } = scene;
  for (const [index, { branch }] of layers.entries()) {
    if (branch.pullRequest === null) continue;
    try {
      await forge.mergePull(scene, { number: branch.pullRequest.number, headCommit: branch.headCommit }, signal);
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== "conflict") throw thrown;
      await parts.database.write((tx) => noteWaiting(tx, branch, `Waits: ${thrown.message}`));
      return index > 0 ? { moved: true, refused: null } : { moved: false, refused: branch };
    }
    await noteMerged(scene, branch);
  }
  const [last, now] = [layers.at(-1), await parts.workspaces.fetchBase(project, credentials, signal)];
  if (last && !(await parts.branches.isSameTree(project, last.commit, now)))
    parts.log.warn("the base is not what was tested: somebody else moved it at the same moment", { projectId: project.id, base: now });
  return { moved: true, refused: null };
}

async function noteMerged(scene: Scene, branch: Branch): Promise<void> {
  const { parts, forge, signal } = scene;
  if (!forge.mergesPulls && branch.pullRequest !== null) {
    const pull = { number: branch.pullRequest.number, headCommit: branch.headCommit };
    // Only a record; the base has moved, which is what counts.
    await forge
      .mergePull(scene, pull, signal)
      .catch((thrown: unknown) => parts.log.warn("merge not recorded", { error: messageOf(thrown) }));
  }
  await parts.database.write((tx) => {
    settleBranch(tx, branch, "merged", null);
    resolveAlerts(tx, MERGE_FAILED, branch.taskKey);
    resolveAlerts(tx, BASE_REFUSED, branch.project);
  });
}

/** Takes a branch out of the queue and tells a person why. */
async function dismiss({ parts }: Scene, branch: Branch, why: string): Promise<void> {
  const { taskId, projectId, taskKey } = branch;
  const message = `${taskKey} left the merge queue: ${why}`;
  await parts.database.write((tx) => {
    // A person may have taken it out meanwhile.
    if (typeof findBranch(tx, taskId)?.place !== "number") return;
    dequeueBranch(tx, taskId, message);
    raiseAlert(tx, { kind: MERGE_FAILED, subject: taskKey, message, projectId, taskId });
  });
}

async function tellRefused({ parts, project }: Scene, layers: readonly Layer[], why: string): Promise<void> {
  const keys = layers.map(({ branch }) => branch.taskKey).join(", ");
  const message = `${keys} passed the checks together and can't be merged: ${why}`;
  await parts.database.write((tx) => {
    for (const { branch } of layers) noteWaiting(tx, branch, `Waits: ${why}`);
    raiseAlert(tx, { kind: BASE_REFUSED, subject: project.name, message, projectId: project.id });
  });
}
