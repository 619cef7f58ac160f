import { copyFile, rename, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../base/errors.ts";
import { safeText } from "../base/text.ts";
import type { CommandResult } from "../process/command.ts";
import { look, lookInside } from "./folders.ts";
import { removals, type GitCall } from "./git.ts";
import type { Repository } from "./repository.ts";

export interface SnapshotRequest {
  readonly directory: string;
  /** Where the index of the last snapshot is kept, so that only what changed since is read. */
  readonly index: string;
  readonly baseCommit: string;
  /** Paths to take although the ignore rules leave them out: what the agent itself tracks. */
  readonly tracked: readonly string[];
  /** Paths to leave out: the person's files that were copied in and not changed. */
  readonly leaveOut: readonly string[];
}

export interface Snapshot {
  /** All files as they are, ignored ones apart; links as links, never followed. It holds no submodule: their files are in it. */
  readonly tree: string;
  /** Paths of folders that are git repositories of their own. */
  readonly repositories: string[];
  /** What could not be read and so is not in the tree, in git's words. */
  readonly problems: string[];
}

const GITLINK = "160000";
const EMPTY_BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
const ATTEMPTS = 3;

/** What `git add` says of a file or folder that it could not take. */
const COMPLAINT = /^(?:error|fatal): |^warning: (?:could not open|unable to access)/;

/**
 * Stores the files of a folder as a tree, with our repository and our configuration: nothing that lies in the folder,
 * its `.git` and `.gitattributes` included, makes git run a program.
 */
export function takeSnapshot(repository: Repository, request: SnapshotRequest): Promise<Snapshot> {
  return repository.withScratch(async (scratch) => {
    // A copy: a daemon that was killed may have left a git behind that still works on the index, or a lock on it.
    const call = { workTree: request.directory, index: join(scratch, "index") };
    await beginIndex(repository, request, call);
    await openNestedRepositories(repository, call);
    const problems = await addAll(repository, call);
    const entries = await entriesOf(repository, call);
    const unopened = gitlinksAmong(entries);
    problems.push(...unopened.map((path) => `the repository '${safeText(path)}' can't be looked into`));
    const paths = entries.map(({ path }) => path);
    const added = await missingOf(request, new Set(paths));
    problems.push(...(await addPaths(repository, call, added)));
    await forget(repository, call, [...unopened, ...request.leaveOut]);
    const tree = (await repository.print(["write-tree"], call)).trim();
    await rename(call.index, request.index);
    return { tree, repositories: await repositoriesAmong(request.directory, [...paths, ...added]), problems };
  });
}

/**
 * Copies an index. Git trusts what it noted of a file only if the file is older than the index; a copy that looked younger
 * would hide a change made in the same second, so it gets the original's time, rounded down.
 */
export async function copyIndex(from: string, to: string): Promise<void> {
  const { mtimeMs } = await stat(from);
  await copyFile(from, to);
  const at = Math.floor(mtimeMs / 1000);
  await utimes(to, at, at);
}

interface Entry {
  readonly mode: string;
  readonly path: string;
}

type IndexCall = Omit<GitCall, "repository"> & { readonly workTree: string; readonly index: string };

/** Without the submodules of the base: git would look into their folders by running itself there, with the configuration it finds. */
async function beginIndex(repository: Repository, request: SnapshotRequest, call: IndexCall): Promise<void> {
  if (await look(request.index)) await copyIndex(request.index, call.index);
  else await repository.print(["read-tree", "--end-of-options", request.baseCommit], call);
  await forget(repository, call, gitlinksAmong(await entriesOf(repository, call)));
}

async function entriesOf(repository: Repository, call: IndexCall): Promise<Entry[]> {
  const lines = (await repository.print(["ls-files", "--stage", "-z"], call)).split("\0").filter((line) => line !== "");
  return lines.map((line) => ({ mode: line.slice(0, 6), path: line.slice(line.indexOf("\t") + 1) }));
}

function gitlinksAmong(entries: readonly Entry[]): string[] {
  return entries.flatMap(({ mode, path }) => (mode === GITLINK ? [path] : []));
}

/**
 * Git would not look into a folder that is a repository of its own, but for one it has an entry in already. So each gets
 * one that names no file, and that `add` then drops again.
 */
async function openNestedRepositories(repository: Repository, call: IndexCall): Promise<void> {
  const seen = new Set<string>();
  for (;;) {
    const others = (await repository.print(["ls-files", "--others", "--exclude-standard", "-z"], call)).split("\0");
    const found = others.filter((path) => path.endsWith("/") && !seen.has(path));
    if (found.length === 0) return;
    for (const path of found) seen.add(path);
    const entries = found.map((path) => `100644 ${EMPTY_BLOB} 0\t${path}.drover-placeholder\0`).join("");
    await repository.print(["update-index", "-z", "--index-info"], { ...call, input: entries });
  }
}

async function addAll(repository: Repository, call: IndexCall): Promise<string[]> {
  let problems: string[] = [];
  // The agent may be at work: a file that went away while it was read is no longer there at the next attempt.
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    problems = complaints(await repository.run(["add", "--all", "--ignore-errors"], call));
    if (problems.length === 0) break;
    await forget(repository, call, await specialFilesIn(repository, call));
  }
  return problems;
}

/** Tracked paths at which something without content stands now: a pipe, a socket, a device. */
async function specialFilesIn(repository: Repository, call: IndexCall): Promise<string[]> {
  const special: string[] = [];
  for (const { path } of await entriesOf(repository, call)) {
    const found = await lookInside(call.workTree, path).catch(ifUnreadable);
    if (found && !found.isFile() && !found.isSymbolicLink() && !found.isDirectory()) special.push(path);
  }
  return special;
}

/** What the agent tracks, is there, and was left out by the ignore rules. */
async function missingOf({ directory, tracked }: SnapshotRequest, known: ReadonlySet<string>): Promise<string[]> {
  const missing: string[] = [];
  for (const path of tracked) {
    if (known.has(path)) continue;
    const found = await lookInside(directory, path).catch(ifUnreadable);
    if (found?.isFile() || found?.isSymbolicLink()) missing.push(path);
  }
  return missing;
}

async function addPaths(repository: Repository, call: IndexCall, paths: readonly string[]): Promise<string[]> {
  if (paths.length === 0) return [];
  const input = paths.map((path) => `${path}\0`).join("");
  return complaints(await repository.run(["update-index", "--add", "-z", "--stdin"], { ...call, input }));
}

async function forget(repository: Repository, call: IndexCall, paths: readonly string[]): Promise<void> {
  if (paths.length > 0) await repository.print(["update-index", "-z", "--index-info"], { ...call, input: removals(paths) });
}

async function repositoriesAmong(directory: string, paths: readonly string[]): Promise<string[]> {
  const folders = new Set<string>();
  for (const path of paths) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const folder = path.slice(0, end);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  const found = await Promise.all(
    [...folders].map(async (folder) => ((await look(join(directory, folder, ".git")).catch(ifUnreadable)) ? folder : undefined)),
  );
  return found.filter((folder) => folder !== undefined).toSorted();
}

/** What may not be looked at is taken for nothing: git has complained of it already. */
function ifUnreadable(): undefined {
  return undefined;
}

function complaints({ exitCode, stderr }: CommandResult): string[] {
  if (/No space left on device|Disk quota exceeded/.test(stderr))
    throw new AppError("unavailable", "The disk is full: work can't be saved. Make room.", { stderr });
  const lines = safeText(stderr)
    .split("\n")
    .filter((line) => COMPLAINT.test(line));
  if (lines.length > 0) return lines;
  return exitCode === 0 ? [] : [`git ended with exit code ${exitCode}: ${safeText(stderr).trim()}`];
}
