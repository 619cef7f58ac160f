import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { silentLog } from "../base/log.ts";
import { processesIn, wasOutOfMemory } from "./cgroup-files.ts";
import { Cgroups } from "./cgroups.ts";
import { noLimits } from "./limits.ts";

const NAME = "drover-0123";
const limits = { memoryBytes: 1000, cpus: 1.5, processes: 50 };

/** A folder that looks as the kernel's does; files appear when they are written to, as they are not real. */
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drover-groups-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), text);
}

const read = (path: string) => readFileSync(join(folder, path), "utf8");

/** What was written into the files of a group. */
function filesOf(group: string): Record<string, string> {
  const entries = readdirSync(join(folder, group), { withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(entries.map(({ name }) => [name, read(`${group}/${name}`)]));
}

const open = (enterScope: () => Promise<number | undefined> = async () => undefined) =>
  new Cgroups({ name: NAME, log: silentLog, proc: join(folder, "proc"), enterScope });

describe("version 2", () => {
  beforeEach(() => {
    write("proc/self/mountinfo", `30 23 0:26 / ${folder}/fs rw - cgroup2 cgroup2 rw\n`);
    write("proc/self/cgroup", "0::/daemon.service\n");
    write("fs/daemon.service/cgroup.controllers", "cpu memory pids\n");
    write("fs/daemon.service/cgroup.subtree_control", "memory\n");
    write(`fs/daemon.service/${NAME}/cgroup.subtree_control`, "\n");
  });
  const ALL = `fs/daemon.service/${NAME}`;

  test("the own group hands its controllers down, and each command has a group in one around all", async () => {
    const groups = open();
    expect(await groups.open("run_1", limits)).toEqual([join(folder, ALL, "run_1")]);
    expect(read("fs/daemon.service/cgroup.subtree_control")).toBe("+cpu +pids");
    expect(read(`${ALL}/cgroup.subtree_control`)).toBe("+memory +cpu +pids");
    expect(filesOf(`${ALL}/run_1`)).toEqual({
      "memory.max": "1000",
      "memory.swap.max": "0",
      "memory.oom.group": "1",
      "cpu.max": "150000 100000",
      "pids.max": "50",
    });
    expect(await groups.controllers()).toEqual(new Set(["memory", "cpu", "pids"]));
    expect(await groups.list()).toEqual(new Map([["run_1", [join(folder, ALL, "run_1")]]]));
  });

  test("no limit is one that is written too, for it may follow on another", async () => {
    await open().open("run_1", noLimits);
    expect(filesOf(`${ALL}/run_1`)).toMatchObject({
      "memory.max": "max",
      "memory.swap.max": "max",
      "cpu.max": "max 100000",
      "pids.max": "max",
    });
  });

  test("all together have limits of their own, also before the first is there; nothing there is ended as a whole", async () => {
    const groups = open();
    await groups.limitAll({ memoryBytes: 4000, cpus: 0.001, processes: null });
    expect(filesOf(ALL)).toMatchObject({ "memory.max": "4000", "cpu.max": "1000 100000", "pids.max": "max" });
    expect(existsSync(join(folder, ALL, "memory.oom.group"))).toBe(false);
  });

  test("the limits of a group change, also of one in another place that an earlier daemon made", async () => {
    const groups = open();
    const own = await groups.open("run_1", limits);
    const other = [join(folder, "fs/old.scope/drover-0123/run_2")];
    for (const name of ["cgroup.kill", "memory.max", "pids.max"]) write(`fs/old.scope/drover-0123/run_2/${name}`, "max");
    write(`${ALL}/run_1/cgroup.kill`, "");
    await groups.limit(own, { ...limits, memoryBytes: 2000 });
    await groups.limit(other, { ...limits, memoryBytes: 2000 });
    await groups.limit([join(folder, "fs/gone/drover-0123/run_3")], limits);
    expect(read(`${ALL}/run_1/memory.max`)).toBe("2000");
    expect(filesOf("fs/old.scope/drover-0123/run_2")).toMatchObject({ "memory.max": "2000", "pids.max": "50" });
    expect([...(await groups.list()).keys()].toSorted()).toEqual(["run_1", "run_2"]);
  });

  test("whoever was ended for want of memory is known, and nobody else", async () => {
    const groups = open();
    await groups.open("run_1", limits);
    await groups.open("run_2", limits);
    write(`${ALL}/run_1/memory.events`, "low 0\nmax 7\noom 1\noom_kill 2\n");
    write(`${ALL}/run_2/memory.events`, "low 0\nmax 7\noom 0\noom_kill 0\noom_group_kill 3\n");
    expect(await groups.outOfMemory()).toEqual(new Set(["run_1"]));
    expect(await wasOutOfMemory([join(folder, ALL, "run_1")])).toBe(true);
  });

  test("a daemon in the group of an agent that it once started makes its groups beside that one, and goes there", async () => {
    write("proc/self/cgroup", `0::/daemon.service/${NAME}/run_1\n`);
    write(`${ALL}/run_1/cgroup.controllers`, "cpu memory pids\n");
    expect(await open().open("run_2", limits)).toEqual([join(folder, ALL, "run_2")]);
    expect(read("fs/daemon.service/drover-daemon/cgroup.procs")).toBe(String(process.pid));
  });

  test("where the own group cannot be divided, one is asked for that can", async () => {
    rmSync(join(folder, "fs/daemon.service/cgroup.subtree_control"));
    const groups = open(async () => {
      write("proc/4711/cgroup", "0::/mine.scope\n");
      write("fs/mine.scope/cgroup.controllers", "memory pids\n");
      write("fs/mine.scope/cgroup.subtree_control", "\n");
      write(`fs/mine.scope/${NAME}/cgroup.subtree_control`, "\n");
      return 4711;
    });
    expect(await groups.open("run_1", limits)).toEqual([join(folder, "fs/mine.scope", NAME, "run_1")]);
    expect(await groups.controllers()).toEqual(new Set(["memory", "pids"]));
    expect(filesOf(`fs/mine.scope/${NAME}/run_1`)).toMatchObject({ "memory.max": "1000", "pids.max": "50" });
  });

  test.each(["cgroup.controllers", "cgroup.subtree_control"])(
    "where the own group cannot give anything, nobody is limited: no %s",
    async (file) => {
      rmSync(join(folder, "fs/daemon.service", file));
      if (file === "cgroup.controllers") write("fs/daemon.service/cgroup.controllers", "");
      else mkdirSync(join(folder, "fs/daemon.service", file));
      const groups = open();
      const found = await groups.open("run_1", limits);
      expect(await groups.controllers()).toEqual(new Set());
      // A tree without controllers still ends whole groups.
      expect(found.length).toBe(file === "cgroup.controllers" ? 1 : 0);
      await groups.limitAll(limits);
      await groups.limit(found, limits);
      expect(existsSync(join(folder, ALL, "run_1", "memory.max"))).toBe(false);
    },
  );
});

describe("version 1", () => {
  beforeEach(() => {
    const names = ["memory", "cpu", "pids"];
    write("proc/self/mountinfo", names.map((name) => `30 23 0:26 / ${folder}/fs/${name} rw - cgroup cgroup rw,${name}\n`).join(""));
    write("proc/self/cgroup", names.map((name, index) => `${index}:${name}:/a\n`).join(""));
  });

  test("a command has a group in the tree of each controller", async () => {
    const groups = open();
    await groups.limitAll({ memoryBytes: 4000, cpus: 2, processes: null });
    const made = await groups.open("run_1", limits);
    expect(made).toEqual(["memory", "cpu", "pids"].map((name) => join(folder, "fs", name, "a", NAME, "run_1")));
    const files = Object.assign({}, ...["memory", "cpu", "pids"].map((name) => filesOf(`fs/${name}/a/${NAME}/run_1`))) as object;
    expect(files).toEqual({
      "memory.limit_in_bytes": "1000",
      "memory.memsw.limit_in_bytes": "1000",
      "cpu.cfs_period_us": "100000",
      "cpu.cfs_quota_us": "150000",
      "pids.max": "50",
    });
    expect(filesOf(`fs/cpu/a/${NAME}`)).toMatchObject({
      "cpu.cfs_quota_us": "200000",
      "cpu.shares": String(1024 * availableParallelism()),
    });
    await groups.limitAll({ memoryBytes: 4000, cpus: 1, processes: null });
    expect(filesOf(`fs/cpu/a/${NAME}`)).toMatchObject({ "cpu.cfs_quota_us": "100000" });
    await groups.limit(made, { ...limits, cpus: null });
    expect(filesOf(`fs/cpu/a/${NAME}/run_1`)).toMatchObject({ "cpu.cfs_quota_us": "-1" });
  });
});

test("a group that is to end gets nobody more, and those in groups within it belong to it", async () => {
  write("run_1/pids.max", "50");
  write("run_1/cgroup.kill", "");
  write("run_1/cgroup.procs", "4\n5\n");
  write("run_1/inner/cgroup.procs", "6\n");
  expect(processesIn([join(folder, "run_1"), join(folder, "gone")])).toEqual(new Set([4, 5, 6]));
  await open().kill([join(folder, "run_1"), join(folder, "gone")]);
  expect([read("run_1/pids.max"), read("run_1/cgroup.kill")]).toEqual(["0", "1"]);
});

test("a daemon does not end a group that it could not leave", async () => {
  write("run_1/pids.max", "50");
  write("run_1/cgroup.kill", "");
  write("run_1/cgroup.procs", "4\n");
  write("run_1/inner/cgroup.procs", `${process.pid}\n`);
  await open().kill([join(folder, "run_1")]);
  expect([read("run_1/pids.max"), read("run_1/cgroup.kill")]).toEqual(["50", ""]);
});

test("a group with nothing in it is removed, and then the one around all", async () => {
  write("proc/self/mountinfo", `30 23 0:26 / ${folder}/fs rw - cgroup cgroup rw,pids\n`);
  write("proc/self/cgroup", "1:pids:/\n");
  const groups = open();
  const made = await groups.open("run_1", limits);
  rmSync(join(folder, "fs", NAME, "pids.max"));
  rmSync(join(folder, "fs", NAME, "run_1/pids.max"));
  mkdirSync(join(folder, "fs", NAME, "run_1/inner"));
  await groups.remove(made);
  await groups.close();
  expect(readdirSync(join(folder, "fs"))).toEqual([]);
});
