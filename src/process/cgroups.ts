import { mkdir, readFile, rmdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { killGroup, processesIn, subfolders, wasOutOfMemory, writeLimits, writeTotalLimits } from "./cgroup-files.ts";
import { type CgroupPlace, type Controller, controllers, findCgroupPlaces } from "./cgroup-places.ts";
import { noLimits, type RunLimits } from "./limits.ts";
import { failureTo, hasCode, isSystemFailure } from "./system-error.ts";

export interface CgroupOptions {
  /** Names the group around all commands of this daemon, different from those of other daemons. */
  readonly name: string;
  readonly log: Log;
  /** Where the kernel tells of processes: `/proc`. */
  readonly proc: string;
  /**
   * Starts what will start the commands in a group that is its own to divide, where somebody gives out such groups, and
   * returns its pid. Asked only where the own group can't be divided, which version 2 lets few.
   */
  readonly enterScope: () => Promise<number | undefined>;
}

/** A tree with the group that is around all of ours. */
interface Tree extends CgroupPlace {
  readonly all: string;
}

/** Where the daemon itself goes when it must leave a group that is to have groups in it: version 2 wants the one or the other. */
const OWN_LEAF = "drover-daemon";

/**
 * The control groups of one daemon: one for each marker, in one around all of them, in every tree where this process may
 * make any (cgroups(7)). Version 1 has a tree for each controller, version 2 one for all; a machine may have both. A group
 * is the list of its folders; the empty list: none can be had here, and nobody is limited by the kernel.
 */
export class Cgroups {
  readonly #options: CgroupOptions;
  #trees: Promise<readonly Tree[]> | undefined;
  #total: RunLimits = noLimits;
  /** Groups of an earlier daemon, which may have been started in another place. */
  readonly #adopted = new Map<string, readonly string[]>();

  constructor(options: CgroupOptions) {
    this.#options = options;
  }

  /** What the kernel limits here. */
  async controllers(): Promise<ReadonlySet<Controller>> {
    return new Set((await this.#prepared()).flatMap((tree) => tree.controllers));
  }

  /** Makes the group of a marker, or limits anew the one that is there. Throws `unavailable`. */
  async open(marker: string, limits: RunLimits): Promise<string[]> {
    const trees = await this.#prepared();
    try {
      return await Promise.all(trees.map((tree) => makeGroup(tree, marker, limits)));
    } catch (failure) {
      this.#trees = undefined; // somebody removed the group around it, or mounted the tree anew: looked at again next time
      throw failureTo(`limit what ${marker} may take of the machine`, failure);
    }
  }

  /** Limits a group anew that this daemon opened, or an earlier one. Does nothing when it is gone. */
  async limit(folders: readonly string[], limits: RunLimits): Promise<void> {
    const trees = await this.#prepared();
    for (const folder of folders) {
      const tree = await treeOf(folder);
      if (tree === undefined) continue;
      if (!trees.some(({ all }) => all === dirname(folder))) this.#adopted.set(basename(folder), folders);
      await unlessGone(() => writeLimits(folder, tree, limits));
    }
  }

  /** Limits all of them together. */
  async limitAll(limits: RunLimits): Promise<void> {
    this.#total = limits;
    for (const tree of await this.#prepared()) await unlessGone(() => writeTotalLimits(tree.all, tree, limits));
  }

  /** The groups that there are, by their markers. */
  async list(): Promise<Map<string, readonly string[]>> {
    const groups = new Map<string, readonly string[]>(this.#adopted);
    for (const { all } of await this.#prepared()) {
      const folders = (await unlessGone(() => subfolders(all))) ?? [];
      for (const folder of folders) groups.set(basename(folder), [...(groups.get(basename(folder)) ?? []), folder]);
    }
    return groups;
  }

  /** The markers of groups in which the kernel ended something for want of memory. */
  async outOfMemory(): Promise<Set<string>> {
    const groups = [...(await this.list())];
    const found = await Promise.all(groups.map(async ([marker, folders]) => ((await wasOutOfMemory(folders)) ? [marker] : [])));
    return new Set(found.flat());
  }

  /** Lets nothing be added to groups any more, and kills what is in them, as far as this kernel does that at once. */
  async kill(folders: readonly string[]): Promise<void> {
    // It may be that this daemon was started in one of them; then it has left by now.
    await this.#prepared();
    for (const folder of folders) if (!processesIn([folder]).has(process.pid)) await killGroup(folder);
  }

  /** Removes a group with nothing in it. One that is not empty stays, for the next sweep. */
  async remove(folders: readonly string[]): Promise<void> {
    for (const folder of folders) {
      this.#adopted.delete(basename(folder));
      await removeTree(folder, this.#options.log);
    }
  }

  /** Removes the group around all when nothing of ours runs any more. */
  async close(): Promise<void> {
    if (this.#trees === undefined) return;
    for (const { all } of await this.#prepared()) await removeIfEmpty(all);
    this.#trees = undefined;
  }

  #prepared(): Promise<readonly Tree[]> {
    return (this.#trees ??= this.#prepare());
  }

  async #prepare(): Promise<readonly Tree[]> {
    const { proc, log } = this.#options;
    const trees: Tree[] = [];
    for (const place of await findCgroupPlaces(proc)) {
      const tree = (await this.#tryTree(place, process.pid)) ?? (await this.#treeInScope(place));
      if (tree) trees.push(tree);
    }
    const limited = [...new Set(trees.flatMap((tree) => tree.controllers))];
    log.debug(limited.length === 0 ? "the kernel limits no agent: they are measured" : "the kernel limits agents", { limited });
    return trees;
  }

  /** `pid`: the process that may step aside there. */
  async #tryTree(place: CgroupPlace, pid: number): Promise<Tree | undefined> {
    try {
      return await this.#prepareTree(place, pid);
    } catch (failure) {
      if (!isSystemFailure(failure)) throw failure;
      // Safe to go on: what the kernel does not limit is measured and ended instead.
      this.#options.log.debug("no control groups here", { folder: place.folder, why: messageOf(failure) });
      return undefined;
    }
  }

  async #treeInScope({ version, controllers: named }: CgroupPlace): Promise<Tree | undefined> {
    if (version === 1 || named.length === 0) return undefined;
    const pid = await this.#options.enterScope();
    if (pid === undefined) return undefined;
    const place = (await findCgroupPlaces(this.#options.proc, pid)).find((one) => one.version === 2);
    return place && this.#tryTree(place, pid);
  }

  async #prepareTree(place: CgroupPlace, pid: number): Promise<Tree | undefined> {
    const { version, controllers: named } = place;
    if (version === 1 && named.length === 0) return undefined;
    const folder = await this.#leaveOwnGroups(place);
    const all = join(folder, this.#options.name);
    if (version === 2) await delegate(folder, named, pid);
    await mkdir(all, { recursive: true });
    if (version === 2) await delegate(all, named, pid);
    const tree = { ...place, folder, all };
    await writeTotalLimits(all, tree, this.#total);
    return tree;
  }

  /** A daemon that an agent of ours started anew is in that agent's group, and would end with it. */
  async #leaveOwnGroups({ version, folder, controllers: named }: CgroupPlace): Promise<string> {
    const outer = folder.split(`/${this.#options.name}/`)[0] ?? folder;
    if (outer === folder) return folder;
    const to = version === 2 && named.length > 0 ? join(outer, OWN_LEAF) : outer;
    await mkdir(to, { recursive: true });
    await writeFile(join(to, "cgroup.procs"), String(process.pid));
    return outer;
  }
}

async function makeGroup(tree: Tree, marker: string, limits: RunLimits): Promise<string> {
  const folder = join(tree.all, marker);
  await mkdir(folder, { recursive: true });
  await writeLimits(folder, tree, limits);
  // All of it ends when one is ended, rather than half of an agent going on.
  if (tree.version === 2 && tree.controllers.includes("memory")) await writeFile(join(folder, "memory.oom.group"), "1");
  return folder;
}

/** Lets the groups in this one be limited. */
async function delegate(folder: string, wanted: readonly Controller[], pid: number): Promise<void> {
  const control = join(folder, "cgroup.subtree_control");
  const given = (await readFile(control, "utf8")).trim().split(" ");
  const text = wanted
    .filter((one) => !given.includes(one))
    .map((one) => `+${one}`)
    .join(" ");
  if (text === "") return;
  try {
    await writeFile(control, text);
  } catch (failure) {
    // A group with processes can't give anything to groups in it. Where it is but this one, it can step aside.
    const pids = (await readFile(join(folder, "cgroup.procs"), "utf8")).trim();
    if (!hasCode(failure, "EBUSY") || pids !== String(pid)) throw failure;
    await mkdir(join(folder, OWN_LEAF), { recursive: true });
    await writeFile(join(folder, OWN_LEAF, "cgroup.procs"), pids);
    await writeFile(control, text);
  }
}

/** What can be limited in the folder of a group, as its files show; undefined: it is gone. */
async function treeOf(folder: string): Promise<Pick<CgroupPlace, "version" | "controllers"> | undefined> {
  if ((await unlessGone(() => stat(folder))) === undefined) return undefined;
  const files = { memory: "memory.max", cpu: "cpu.max", pids: "pids.max" };
  const filesV1 = { memory: "memory.limit_in_bytes", cpu: "cpu.cfs_quota_us", pids: "pids.max" };
  const has = async (name: string) => (await unlessGone(() => stat(join(folder, name)))) !== undefined;
  const version = (await has("cgroup.kill")) || (await has("cgroup.events")) ? 2 : 1;
  const names = version === 2 ? files : filesV1;
  const there = await Promise.all(controllers.map(async (one) => ((await has(names[one])) ? [one] : [])));
  return { version, controllers: there.flat() };
}

async function removeTree(folder: string, log: Log): Promise<void> {
  for (const inner of (await unlessGone(() => subfolders(folder))) ?? []) await removeTree(inner, log);
  if (!(await removeIfEmpty(folder))) log.debug("a control group stays, for it is not empty", { folder, pids: [...processesIn([folder])] });
}

async function removeIfEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (failure) {
    if (hasCode(failure, "ENOENT")) return true;
    if (hasCode(failure, "EBUSY", "ENOTEMPTY")) return false;
    throw failureTo(`remove the control group ${folder}`, failure);
  }
}

async function unlessGone<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (failure) {
    if (hasCode(failure, "ENOENT", "ENODEV")) return undefined;
    throw failure;
  }
}
