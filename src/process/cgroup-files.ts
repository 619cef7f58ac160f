import { readdirSync, readFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { CgroupPlace, Controller } from "./cgroup-places.ts";
import type { RunLimits } from "./limits.ts";
import { hasCode } from "./system-error.ts";

/** Over which time the kernel gives out processor time, microseconds: its own default. */
const PERIOD_US = 100_000;
/** The least that it takes as a group's part of that. */
const QUOTA_MIN_US = 1_000;

/** What one program counts for where processors are short, in version 1. */
const SHARES = 1024;

/** What of a group's limits lies in one tree. */
type Tree = Pick<CgroupPlace, "version" | "controllers">;

/** Writes the limits of the group of one command into its folder. */
export async function writeLimits(folder: string, { version, controllers }: Tree, limits: RunLimits): Promise<void> {
  const has = (controller: Controller) => controllers.includes(controller);
  if (has("memory")) await (version === 2 ? writeMemory(folder, limits) : writeMemoryV1(folder, limits));
  if (has("cpu")) await (version === 2 ? writeCpu(folder, limits) : writeCpuV1(folder, limits));
  if (has("pids")) await writeFile(join(folder, "pids.max"), orMax(limits.processes));
}

/** The same for the group around all of them. */
export async function writeTotalLimits(folder: string, tree: Tree, limits: RunLimits): Promise<void> {
  if (tree.version === 2 || !tree.controllers.includes("cpu")) return writeLimits(folder, tree, limits);
  // Version 1 refuses an outer share that is less than an inner one. An inner group without one of its own has the outer one's.
  const inner = await Promise.all((await subfolders(folder)).map(async (path) => ({ path, quota: await readQuotaV1(path) })));
  for (const { path } of inner) await writeIfThere(join(path, "cpu.cfs_quota_us"), "-1");
  // Beside programs that are in no group, all of ours would count as one.
  await writeIfThere(join(folder, "cpu.shares"), String(SHARES * availableParallelism()));
  await writeLimits(folder, tree, limits);
  for (const { path, quota } of inner) await writeQuotaV1(path, quota);
}

/** Whether the kernel ended a process of the group because a limit on memory was reached, its own or that around all. */
export async function wasOutOfMemory(folders: readonly string[]): Promise<boolean> {
  const texts = await Promise.all(
    folders.flatMap((folder) => ["memory.events", "memory.oom_control"].map((name) => readIfThere(join(folder, name)))),
  );
  return texts.some((text) => /^oom_kill [1-9]/mu.test(text ?? ""));
}

/** No process can be added to the group any more, and all that are in it are killed, as far as this kernel does that at once. */
export async function killGroup(folder: string): Promise<void> {
  // First, for a version 1 has no `cgroup.kill`, and what forks faster than we look would never be gone.
  await writeIfThere(join(folder, "pids.max"), "0");
  await writeIfThere(join(folder, "cgroup.kill"), "1");
}

/** The pids of all processes in a group and in groups that it holds. Not deferred: what is done with the answer must follow at once. */
export function processesIn(folders: readonly string[]): Set<number> {
  return new Set(folders.flatMap(pidsIn));
}

/** The names of the groups in a folder. */
export async function subfolders(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}

async function writeMemory(folder: string, { memoryBytes }: RunLimits): Promise<void> {
  await writeFile(join(folder, "memory.max"), orMax(memoryBytes));
  // Swap would only make it slow before it ends all the same.
  await writeIfThere(join(folder, "memory.swap.max"), memoryBytes === null ? "max" : "0");
}

async function writeMemoryV1(folder: string, { memoryBytes }: RunLimits): Promise<void> {
  const bytes = String(memoryBytes ?? -1);
  // Memory with swap: never less than memory alone, so it steps aside first. Missing where the kernel does not account for swap.
  await writeIfThere(join(folder, "memory.memsw.limit_in_bytes"), "-1");
  try {
    await writeFile(join(folder, "memory.limit_in_bytes"), bytes);
  } catch (failure) {
    // It uses more than the new limit: version 1 changes nothing then. Whoever measures ends it.
    if (!hasCode(failure, "EBUSY")) throw failure;
    return;
  }
  await writeIfThere(join(folder, "memory.memsw.limit_in_bytes"), bytes);
}

async function writeCpu(folder: string, { cpus }: RunLimits): Promise<void> {
  await writeFile(join(folder, "cpu.max"), `${cpus === null ? "max" : quotaOf(cpus)} ${PERIOD_US}`);
}

async function writeCpuV1(folder: string, { cpus }: RunLimits): Promise<void> {
  await writeFile(join(folder, "cpu.cfs_period_us"), String(PERIOD_US));
  await writeQuotaV1(folder, cpus === null ? -1 : quotaOf(cpus));
}

/** Microseconds a period; -1: no limit. */
async function readQuotaV1(folder: string): Promise<number> {
  return Number((await readIfThere(join(folder, "cpu.cfs_quota_us"))) ?? -1);
}

async function writeQuotaV1(folder: string, quota: number): Promise<void> {
  const path = join(folder, "cpu.cfs_quota_us");
  try {
    await writeFile(path, String(quota));
  } catch (failure) {
    if (hasCode(failure, "ENOENT")) return; // a group that was removed meanwhile
    // A group around it has less, and that holds for it when it has no share of its own.
    if (!hasCode(failure, "EINVAL")) throw failure;
    await writeFile(path, "-1");
  }
}

function quotaOf(cpus: number): number {
  return Math.max(QUOTA_MIN_US, Math.round(cpus * PERIOD_US));
}

function orMax(value: number | null): string {
  return value === null ? "max" : String(value);
}

function pidsIn(folder: string): number[] {
  try {
    const own = readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
    const inner = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...own, ...inner.flatMap(({ name }) => pidsIn(join(folder, name)))];
  } catch (failure) {
    if (hasCode(failure, "ENOENT", "ENODEV")) return []; // it was removed, and only an empty one can be
    throw failure;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (failure) {
    if (hasCode(failure, "ENOENT", "ENODEV")) return undefined;
    throw failure;
  }
}

/** The file system of groups answers EACCES or EPERM where a program would make a file that it does not have. */
async function writeIfThere(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (failure) {
    if (!hasCode(failure, "ENOENT", "ENODEV", "EACCES", "EPERM")) throw failure;
  }
}
