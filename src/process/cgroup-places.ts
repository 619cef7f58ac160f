import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "./system-error.ts";

/** What the kernel can limit in a group (cgroups(7)). */
export const controllers = ["memory", "cpu", "pids"] as const;
export type Controller = (typeof controllers)[number];

/** A tree of control groups that the kernel shows, with the group of this process in it. */
export interface CgroupPlace {
  readonly version: 1 | 2;
  /** The folder of the group that the process is in. */
  readonly folder: string;
  /** What can be limited there. Empty for a version 2 whose controllers all belong to version 1: it still ends whole groups. */
  readonly controllers: readonly Controller[];
}

interface Mount {
  readonly version: 1 | 2;
  /** Which group of the tree is at the mount point. */
  readonly root: string;
  readonly point: string;
  readonly controllers: readonly Controller[];
}

/** Where a process is in each tree of control groups; none on a system without them. `proc`: `/proc`. */
export async function findCgroupPlaces(proc: string, pid: number | "self" = "self"): Promise<CgroupPlace[]> {
  let texts: readonly [string, string];
  try {
    texts = [await readFile(join(proc, "self/mountinfo"), "utf8"), await readFile(join(proc, String(pid), "cgroup"), "utf8")];
  } catch (failure) {
    if (hasCode(failure, "ENOENT")) return [];
    throw failure;
  }
  const mounts = parseMounts(texts[0]);
  const places = await Promise.all(parseGroups(texts[1]).map((group) => placeOf(group, mounts)));
  return places.filter((place) => place !== undefined);
}

/** A line of /proc/self/cgroup; `names` is empty for version 2. */
interface OwnGroup {
  readonly names: readonly string[];
  readonly path: string;
}

/** `4:memory:/a/b`, `3:cpu,cpuacct:/a`, `0::/a`. */
function parseGroups(text: string): OwnGroup[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, names = "", ...path] = line.split(":");
      return { names: names.split(",").filter((name) => name !== ""), path: path.join(":") };
    });
}

/** `36 35 98:0 /root /point rw,noatime - cgroup cgroup rw,memory` (proc_pid_mountinfo(5)). */
function parseMounts(text: string): Mount[] {
  return text.split("\n").flatMap((line): Mount[] => {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root = "", point = ""] = before.split(" ").map(unescapePath);
    const [type, , options = ""] = after.split(" ");
    if (type === "cgroup2") return [{ version: 2, root, point, controllers: [] }];
    const named = options.split(",");
    return type === "cgroup" ? [{ version: 1, root, point, controllers: controllers.filter((one) => named.includes(one)) }] : [];
  });
}

/** Spaces and the like are written as `\040`. */
function unescapePath(text: string): string {
  return text.replaceAll(/\\(\d{3})/gu, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

async function placeOf({ names, path }: OwnGroup, mounts: readonly Mount[]): Promise<CgroupPlace | undefined> {
  const version = names.length === 0 ? 2 : 1;
  const mount = mounts.find((one) => one.version === version && (version === 2 || one.controllers.some((name) => names.includes(name))));
  if (mount === undefined) return undefined;
  // A path that leads out of what is mounted (`/..`) belongs to a namespace around ours: the mount point is as far as we see.
  const isInside = (path === mount.root || path.startsWith(mount.root.replace(/\/?$/u, "/"))) && !path.includes("/..");
  const folder = join(mount.point, isInside ? path.slice(mount.root.length) : "");
  return { version, folder, controllers: version === 1 ? mount.controllers : await controllersOf(folder) };
}

async function controllersOf(folder: string): Promise<Controller[]> {
  const there = (await readFile(join(folder, "cgroup.controllers"), "utf8")).trim().split(" ");
  return controllers.filter((one) => there.includes(one));
}
