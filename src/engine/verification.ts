import { join } from "node:path";
import { createHash } from "node:crypto";
import { AppError } from "../base/errors.ts";
import type { CheckConfig } from "../contract/config.ts";
import type { CheckComparison, CheckResult } from "../contract/proof.ts";
import { compareCheck } from "../domain/compare-checks.ts";
import { findCheckResult, saveCheckResult } from "../store/check-results.ts";
import type { Workspace } from "../workspace/workspaces.ts";
import { isolateCheck, type IsolatedWork } from "./isolating.ts";
import { record, type Job } from "./job.ts";
import { agentLimits } from "./limits.ts";
import type { CommandRequest, EngineParts } from "./parts.ts";

/** One at a time for a project's base: two tasks cut from one commit share its tree and its results. */
type BaseTurns = Map<string, Promise<unknown>>;

export interface Verifier {
  /** Runs the project's checks in the workspace and on the base, and compares. */
  verify(job: Job, workspace: Tree, signal: AbortSignal): Promise<CheckComparison[]>;
  /** The same of two commits that no run works on, each in a clean tree. What was seen of a commit before is not asked again. */
  compareCommits(work: CheckedWork, commits: { base: string; head: string }, signal: AbortSignal): Promise<CheckComparison[]>;
  /** Lends a clean tree of a commit, made ready as a workspace is. `anew`: nothing that was run in one before has left anything in it. */
  withTree<Result>(
    work: CheckedWork,
    commit: string,
    options: { anew: boolean },
    use: (tree: Tree) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result>;
  /** Runs a command in a tree, as checks are run, in the isolation of the work. */
  runIn(work: CheckedWork, command: CheckConfig, tree: Tree, signal: AbortSignal): Promise<CheckResult>;
  /** Makes a fresh tree ready: copies the configured files and runs the set-up command, if there is one. Throws `conflict` with the end of its output when it fails. */
  setUp(job: Job, tree: Tree, name: string, signal: AbortSignal): Promise<void>;
}

/** What checks are run for: a run's job, or branches that were finished before. */
export type CheckedWork = IsolatedWork & Pick<Job, "directory">;

export type Tree = Pick<Workspace, "directory" | "baseCommit">;

export function createVerifier(parts: EngineParts): Verifier {
  const baseTurns: BaseTurns = new Map();

  async function verify(job: Job, workspace: Tree, signal: AbortSignal): Promise<CheckComparison[]> {
    const comparisons: CheckComparison[] = [];
    for (const check of job.config.checks) {
      const base = await inTurn(baseTurns, job.project.id, () => resultOnBase(job, check, workspace.baseCommit, signal));
      const head = await run(parts, job, check, workspace, "head", signal);
      comparisons.push(compareCheck(check.name, check.command, base, head));
    }
    return comparisons;
  }

  async function compareCommits(
    work: CheckedWork,
    { base, head }: { base: string; head: string },
    signal: AbortSignal,
  ): Promise<CheckComparison[]> {
    using _held = parts.workspaces.holdTrees([base, head]);
    const resultOn = (check: CheckConfig, commit: string, keeps?: Keeps) =>
      inTurn(baseTurns, work.project.id, () => resultOnBase(work, check, commit, signal, keeps));
    const comparisons: CheckComparison[] = [];
    for (const check of work.config.checks)
      comparisons.push(compareCheck(check.name, check.command, await resultOn(check, base), await resultOn(check, head, isGreen)));
    return comparisons;
  }

  async function resultOnBase(
    job: CheckedWork,
    check: CheckConfig,
    commit: string,
    signal: AbortSignal,
    keeps: Keeps = hasEnded,
  ): Promise<CheckResult> {
    const setUpAs = setUpKey(job);
    const key = { projectId: job.project.id, commit, checkKey: checkKey(check, setUpAs) };
    const known = findCheckResult(parts.database.reader, key);
    if (known) return known;
    const tree = await openTree(job, commit, setUpAs, signal);
    const result = await run(parts, job, check, tree, "base", signal);
    if (keeps(result)) await parts.database.write((tx) => saveCheckResult(tx, { ...key, result }));
    return result;
  }

  async function openTree(job: CheckedWork, commit: string, setUpAs: string, signal: AbortSignal): Promise<Tree> {
    const tree = await parts.workspaces.openBase(job.project, commit, setUpAs, signal);
    if (tree.fresh) {
      await setUp(parts, job, tree, "setup-base", signal);
      await parts.workspaces.markBaseReady(job.project, commit, setUpAs);
    }
    return tree;
  }

  async function withTree<Result>(
    work: CheckedWork,
    commit: string,
    { anew }: { anew: boolean },
    use: (tree: Tree) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result> {
    using _held = parts.workspaces.holdTrees([commit]);
    // A tree that is set up in a way of its own is made anew, and so is the next one after it.
    const setUpAs = anew ? hashOf([setUpKey(work), work.run.id]) : setUpKey(work);
    return await inTurn(baseTurns, work.project.id, async () => use(await openTree(work, commit, setUpAs, signal)));
  }

  function runIn(work: CheckedWork, command: CheckConfig, tree: Tree, signal: AbortSignal): Promise<CheckResult> {
    return parts.runCheck(commandOf(parts, work, command, tree, command.name, signal), signal);
  }

  return { verify, compareCommits, withTree, runIn, setUp: (job, tree, name, signal) => setUp(parts, job, tree, name, signal) };
}

async function run(
  parts: EngineParts,
  job: CheckedWork,
  check: CheckConfig,
  tree: Tree,
  which: "base" | "head",
  signal: AbortSignal,
): Promise<CheckResult> {
  const folder = `check-${which}-${checkKey(check, setUpKey(job)).slice(0, 12)}`;
  const result = await parts.runCheck(commandOf(parts, job, check, tree, folder, signal), signal);
  if (!isJob(job)) return result;
  await record(parts, job, { progressAt: parts.clock.now() }, [
    { type: "run.check_finished", data: { name: check.name, tree: which, exitCode: result.exitCode } },
  ]);
  return result;
}

async function setUp(parts: EngineParts, job: CheckedWork, tree: Tree, name: string, signal: AbortSignal): Promise<void> {
  const { copy, setup, setupTimeoutMs } = job.config.workspace;
  await parts.copyFiles(job.project, copy, tree.directory);
  if (setup === null) return;
  const check = { name, command: setup, timeoutMs: setupTimeoutMs };
  const result = await parts.runCheck(commandOf(parts, job, check, tree, name, signal), signal);
  if (result.exitCode === 0) return;
  const how = result.exitCode === null ? `did not end within ${setupTimeoutMs} ms` : `ended with exit code ${result.exitCode}`;
  throw new AppError("conflict", `The set-up command of ${job.project.name} (${setup}) ${how}:\n${result.outputTail}`, {
    reason: "setup_failed",
  });
}

function commandOf(
  parts: EngineParts,
  job: CheckedWork,
  check: CheckConfig,
  tree: Tree,
  folder: string,
  signal: AbortSignal,
): CommandRequest {
  return {
    check,
    directory: tree.directory,
    // A folder holds one command, ever: a run that is gone on with after a crash checks in a new one.
    runDirectory: join(job.directory, `${folder}-${parts.clock.now().toString(36)}`),
    marker: job.run.id,
    env: parts.settings.environment([]),
    limits: agentLimits(parts.settings.current(), job.config),
    wrap: (command) => isolateCheck(parts, job, command, tree, signal),
  };
}

/** Which results of a commit are kept for the next one that asks. */
type Keeps = (result: CheckResult) => boolean;

/** A result that a time limit cut short says little of the commit. */
function hasEnded({ exitCode }: CheckResult): boolean {
  return exitCode !== null;
}

/** Somebody who puts a branch into the queue once more wants to see whether it is red again. */
function isGreen({ exitCode }: CheckResult): boolean {
  return exitCode === 0;
}

function isJob(work: CheckedWork): work is Job {
  return "stage" in work;
}

/** What a tree of a commit depends on besides the commit. */
function setUpKey({ config: { workspace }, isolation }: CheckedWork): string {
  return hashOf([workspace.setup, workspace.copy, isolation.confines ? isolation.name : null]);
}

/** What a stored result depends on besides the commit. */
function checkKey(check: CheckConfig, setUp: string): string {
  return hashOf([check.command, check.timeoutMs, setUp]);
}

function hashOf(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

async function inTurn<Result>(turns: BaseTurns, key: string, work: () => Promise<Result>): Promise<Result> {
  // The one before us failing is its own matter; we only wait for it to be over.
  const turn = (turns.get(key) ?? Promise.resolve()).then(work, work);
  turns.set(key, turn);
  try {
    return await turn;
  } finally {
    if (turns.get(key) === turn) turns.delete(key);
  }
}
