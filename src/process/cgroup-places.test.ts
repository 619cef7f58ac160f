import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findCgroupPlaces } from "./cgroup-places.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drover-places-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A `/proc` in which this process is told its mounts and its groups. */
function procWith(mountinfo: readonly string[], cgroup: readonly string[]): string {
  const proc = join(folder, "proc");
  mkdirSync(join(proc, "self"), { recursive: true });
  writeFileSync(join(proc, "self/mountinfo"), `${mountinfo.join("\n")}\n`);
  writeFileSync(join(proc, "self/cgroup"), `${cgroup.join("\n")}\n`);
  return proc;
}

/** A group's folder of version 2. */
function unified(path: string, controllers: string): string {
  const group = join(folder, path);
  mkdirSync(group, { recursive: true });
  writeFileSync(join(group, "cgroup.controllers"), `${controllers}\n`);
  return group;
}

test("version 2: the folder of the own group, and what may be limited there", async () => {
  const own = unified("fs/user.slice/app.scope", "cpuset cpu io memory pids");
  const proc = procWith([`30 23 0:26 / ${folder}/fs rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate`], ["0::/user.slice/app.scope"]);
  expect(await findCgroupPlaces(proc)).toEqual([{ version: 2, folder: own, controllers: ["memory", "cpu", "pids"] }]);
});

test("version 1 beside a version 2 that has nothing to give; trees that limit nothing of ours are told too", async () => {
  unified("fs/unified", "hugetlb");
  const mount = (id: number, name: string, options: string) => `${id} 23 0:${id} / ${folder}/fs/${name} rw - cgroup cgroup rw,${options}`;
  const proc = procWith(
    [
      mount(31, "memory", "memory"),
      mount(32, "cpu,cpuacct", "cpu,cpuacct"),
      mount(33, "systemd", "xattr,name=systemd"),
      `34 23 0:34 / ${folder}/fs/unified rw - cgroup2 cgroup2 rw`,
      `35 23 0:35 / /proc rw - proc proc rw`,
    ],
    ["4:memory:/a/b", "3:cpu,cpuacct:/", "2:pids:/", "1:name=systemd:/a", "0::/"],
  );
  expect(await findCgroupPlaces(proc)).toEqual([
    { version: 1, folder: join(folder, "fs/memory/a/b"), controllers: ["memory"] },
    { version: 1, folder: join(folder, "fs/cpu,cpuacct"), controllers: ["cpu"] },
    { version: 2, folder: join(folder, "fs/unified"), controllers: [] },
  ]);
});

test.each([
  ["a mount of a part of the tree", "/docker/1", "/docker/1/inner", "inner"],
  ["the part itself", "/docker/1", "/docker/1", ""],
  ["a namespace from which the own group can't be seen", "/", "/../other", ""],
  ["a part with the same beginning", "/docker/1", "/docker/12", ""],
])("%s", async (_, root, path, inside) => {
  const own = unified(`a b/${inside}`, "pids");
  unified("a b", "pids");
  const proc = procWith([`30 23 0:26 ${root} ${folder.replaceAll(" ", "\\040")}/a\\040b rw - cgroup2 cgroup2 rw`], [`0::${path}`]);
  expect(await findCgroupPlaces(proc)).toEqual([{ version: 2, folder: own.replace(/\/$/u, ""), controllers: ["pids"] }]);
});

test("a system without control groups has none", async () => {
  expect(await findCgroupPlaces(join(folder, "nowhere"))).toEqual([]);
});
