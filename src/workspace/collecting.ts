import { join } from "node:path";
import { AppError } from "../base/errors.ts";
import { look } from "./folders.ts";
import { removals } from "./git.ts";
import { droppings, type Repository } from "./repository.ts";
import type { Capture } from "./capture.ts";
import { taskRefs } from "./checkpoints.ts";
import type { CollectedWork } from "./workspaces.ts";
import type { WorkspaceRecord } from "./records.ts";

export interface CollectRequest {
  readonly taskId: string;
  readonly directory: string;
  readonly record: WorkspaceRecord;
  readonly baseCommit: string;
  readonly message: string;
}

/** Path to commit of each submodule of a commit. */
type Submodules = ReadonlyMap<string, string>;

const STAT_FILES = 48;

/**
 * Makes the task's head from what was captured: the agent's own commits where they build on the base, and one of ours for
 * what it left uncommitted. Its tree is what the checks see in the workspace, but for the person's copied files, droppings
 * of agents and systems, and submodules, which stay what the base or the agent's commit says. Throws `conflict` for a
 * repository of the agent's own in the workspace, whose files can't be told from a clone that it only wanted to read, and
 * for changed files in a submodule, which the checks see and a pull request can't hold, and for a conflict that nobody resolved.
 */
export async function collectWork(repository: Repository, captured: Capture, request: CollectRequest): Promise<CollectedWork> {
  const { baseCommit, taskId } = request;
  await refuseMarkers(repository, captured, request);
  const base = await listTree(repository, baseCommit);
  refuseRepositories(captured, base, request.directory);
  const parent = (await mayBuildOn(repository, captured.head, base, request)) ? (captured.head ?? baseCommit) : baseCommit;
  const tree = await publishableTree(repository, captured, base, parent, request);
  const headCommit = await commitOn(repository, parent, tree, request);
  await repository.setRef(`${taskRefs(taskId)}/base`, baseCommit);
  await repository.setRef(`${taskRefs(taskId)}/head`, headCommit);
  const changed = tree !== (await repository.treeOf(baseCommit));
  return { headCommit, tree, changed, changes: changed ? await describeChanges(repository, baseCommit, headCommit) : [] };
}

interface BaseTree {
  readonly paths: ReadonlySet<string>;
  readonly folders: ReadonlySet<string>;
  readonly submodules: Submodules;
}

async function listTree(repository: Repository, commit: string): Promise<BaseTree> {
  const entries = (await repository.print(["ls-tree", "-r", "-t", "-z", "--end-of-options", commit]))
    .split("\0")
    .filter((entry) => entry !== "");
  const paths = new Set<string>();
  const folders = new Set<string>();
  const submodules = new Map<string, string>();
  for (const entry of entries) {
    const path = entry.slice(entry.indexOf("\t") + 1);
    const [, type = "", id = ""] = entry.split(/[ \t]/, 3);
    paths.add(path);
    if (type === "tree") folders.add(path);
    if (type === "commit") submodules.set(path, id);
  }
  return { paths, folders, submodules };
}

/** Files that had both sides of a conflict in them must have lost the markers between them. */
async function refuseMarkers(repository: Repository, { tree }: Capture, { record, directory }: CollectRequest): Promise<void> {
  if (record.conflicts.length === 0) return;
  const paths = record.conflicts.map((path) => `:(top,literal)${path}`);
  const args = ["grep", "-l", "-z", "-e", "^<<<<<<< ", "-e", "^>>>>>>> ", tree, "--", ...paths];
  const marked = (await repository.run(args)).stdout.split("\0").flatMap((name) => (name === "" ? [] : [name.slice(tree.length + 1)]));
  if (marked.length === 0) return;
  throw new AppError(
    "conflict",
    `${marked.slice(0, 5).join(", ")} in ${directory} still has both sides of the conflict with the base, between markers. Choose, and remove the markers.`,
    { marked },
  );
}

function refuseRepositories({ repositories }: Capture, base: BaseTree, directory: string): void {
  const own = repositories.filter((path) => !base.folders.has(path) && !isInSubmodule(path, base.submodules));
  if (own.length === 0) return;
  throw new AppError(
    "conflict",
    `The agent left git repositories of its own in ${directory}: ${own.slice(0, 5).join(", ")}. A pull request can't hold them: remove the folder, or only its .git to make its files part of the work.`,
    { repositories: own },
  );
}

function isInSubmodule(path: string, submodules: Submodules): boolean {
  return [...submodules.keys()].some((submodule) => path === submodule || path.startsWith(`${submodule}/`));
}

/** Whether the agent's commits can be published as they are: on the base, and none with a submodule or a copied file of the person's in it. */
async function mayBuildOn(repository: Repository, head: string | null, base: BaseTree, request: CollectRequest): Promise<boolean> {
  const { baseCommit, record } = request;
  if (head === null) return false;
  if (head === baseCommit) return true;
  const { exitCode } = await repository.run(["merge-base", "--is-ancestor", baseCommit, head]);
  if (exitCode !== 0) return false;
  const args = ["log", "--format=", "--raw", "--no-abbrev", "--no-renames", "-m", "-z", `${baseCommit}..${head}`];
  const fields = (await repository.print(args)).split("\0");
  return fields.every((field, i) => {
    const change = /^\n?:\d+ (\d+) /.exec(field);
    const path = fields[i + 1] ?? "";
    if (change === null || change[1] === "000000" || base.paths.has(path)) return true;
    return change[1] !== "160000" && !Object.hasOwn(record.copied, path);
  });
}

async function publishableTree(
  repository: Repository,
  captured: Capture,
  base: BaseTree,
  parent: string,
  request: CollectRequest,
): Promise<string> {
  const args = ["diff-tree", "-r", "-z", "--name-only", "--diff-filter=A", "--no-renames", request.baseCommit, captured.tree];
  const added = (await repository.print(args)).split("\0");
  const submodules = await submodulesToKeep(repository, { captured, base, added, parent, directory: request.directory });
  const unwanted = added.filter(
    (path) => isDropping(path) || Object.hasOwn(request.record.copied, path) || isInSubmodule(path, submodules),
  );
  if (submodules.size === 0 && unwanted.length === 0) return captured.tree;
  return repository.withScratch(async (scratch) => {
    const call = { index: join(scratch, "index") };
    await repository.print(["read-tree", captured.tree], call);
    const kept = [...submodules].map(([path, id]) => `160000 ${id} 0\t${path}\0`).join("");
    await repository.print(["update-index", "-z", "--index-info"], { ...call, input: removals(unwanted) + kept });
    return (await repository.print(["write-tree"], call)).trim();
  });
}

/**
 * The base's submodules, at the commit that the agent's last commit says; but for those that the agent gave up: by a
 * commit, by removing the folder, or by putting files of the project in its place.
 */
async function submodulesToKeep(
  repository: Repository,
  {
    captured,
    base,
    added,
    parent,
    directory,
  }: { captured: Capture; base: BaseTree; added: readonly string[]; parent: string; directory: string },
): Promise<Submodules> {
  if (base.submodules.size === 0) return base.submodules;
  const now = (await listTree(repository, parent)).submodules;
  const kept = new Map<string, string>();
  for (const path of base.submodules.keys()) {
    const id = now.get(path);
    const isFolder = (await look(join(directory, path)))?.isDirectory() ?? false;
    const isReplaced = added.some((one) => one.startsWith(`${path}/`)) && !captured.repositories.includes(path);
    if (id === undefined || !isFolder || isReplaced) continue;
    await refuseChangesIn(repository, captured, path, id);
    kept.set(path, id);
  }
  return kept;
}

/** A submodule that was not filled, or whose commit we never got, has nothing to compare. */
async function refuseChangesIn(repository: Repository, captured: Capture, path: string, commit: string): Promise<void> {
  if (!captured.repositories.includes(path) || (await repository.findCommit(commit)) === undefined) return;
  const args = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--ignore-submodules=all", commit, `${captured.tree}:${path}`];
  const changed = (await repository.print(args)).split("\0").filter((name) => name !== "");
  const own = changed.filter(
    (name) => !captured.repositories.some((nested) => `${path}/${name}`.startsWith(`${nested}/`) && nested !== path),
  );
  if (own.length === 0) return;
  throw new AppError(
    "conflict",
    `The agent changed files in the submodule ${path} (${own.slice(0, 5).join(", ")}). A pull request of this repository can't hold them: undo them, or make the change in the submodule's own repository.`,
    { submodule: path, files: own },
  );
}

function isDropping(path: string): boolean {
  return droppings.some((name) => path === name || path.endsWith(`/${name}`));
}

/** The agent's commit where it has this tree, the commit of an earlier call where that one has it, or else a new one. */
async function commitOn(repository: Repository, parent: string, tree: string, { taskId, message }: CollectRequest): Promise<string> {
  if ((await repository.treeOf(parent)) === tree) return parent;
  const earlier = await repository.findCommit(`${taskRefs(taskId)}/head`);
  if (earlier !== undefined) {
    const line = await repository.print(["show", "--no-patch", "--format=%T %P%n%B", "--end-of-options", earlier]);
    if (line.trimEnd() === `${tree} ${parent}\n${message.trimEnd()}`) return earlier;
  }
  return repository.commit(tree, parent, message);
}

/** `git diff --stat` over the two, at most 50 lines. */
export async function describeChanges(repository: Repository, base: string, head: string): Promise<string[]> {
  const args = [
    "diff",
    `--stat=100`,
    `--stat-count=${STAT_FILES}`,
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--ignore-submodules=all",
    base,
    head,
  ];
  return (await repository.print(args)).split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
}
