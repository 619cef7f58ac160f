import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { identifySelf } from "./identify.ts";
import { createLinuxTable } from "./linux-table.ts";

describe.skipIf(process.platform !== "linux")("the process table of Linux", () => {
  const table = createLinuxTable(systemClock);
  let folder: string;
  let child: ChildProcess | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "drover-table-"));
  });
  afterEach(async () => {
    if (child?.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await rm(folder, { recursive: true });
  });

  /** A shell that says a pid on its first line. */
  async function pidSaidBy(script: string, env: Record<string, string> = {}): Promise<number> {
    child = spawn("/bin/sh", ["-c", script], { env: { PATH: "/usr/bin:/bin", ...env }, stdio: ["pipe", "pipe", "inherit"] });
    if (!child.stdout) throw new Error("no stdout");
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    return Number(line);
  }
  const listed = async (pid: number) => (await table.list()).find((entry) => entry.pid === pid);

  test("finds this process, again and again the same", async () => {
    const self = await table.find(process.pid);
    expect(self).toMatchObject({ pid: process.pid, parent: process.ppid, startTime: expect.stringMatching(/^\d+$/u) });
    expect(await table.find(process.pid)).toMatchObject({ startTime: self?.startTime });
    const bootId = await table.readBootId();
    expect(bootId).toMatch(/^[0-9a-f-]{36}$/u);
    expect(await identifySelf(table)).toEqual({ bootId, pid: process.pid, startTime: self?.startTime });
  });

  test("a program's name can say what it likes", async () => {
    const program = join(folder, "x) Z (1 2");
    await copyFile("/bin/sleep", program);
    const pid = await pidSaidBy(`echo $$; exec '${program}' 1000000`);
    await expect.poll(() => table.find(pid)).toMatchObject({ pid, parent: process.pid });
  });

  test("there is no process that has ended, reaped or not", async () => {
    // The sleeping program does not wait for the child that it was given.
    const zombie = await pidSaidBy("sh -c : & echo $!; exec sleep 1000000");
    await expect.poll(() => table.find(zombie)).toBeUndefined();
    expect(await listed(zombie)).toBeUndefined();
    expect(await table.find(2 ** 22 + 1)).toBeUndefined();
  });

  test("a mark is read from the environment of each program that a process becomes", async () => {
    const pid = await pidSaidBy("echo $$; read go; DROVER_RUN=run_2 exec sh -c 'echo now; exec sleep 1000000'", {
      DROVER_SCOPE: "here",
      NOT_DROVER_RUN: "run_0",
    });
    expect(await listed(pid)).toMatchObject({ mark: null, parent: process.pid });
    child?.stdin?.write("go\n");
    await expect.poll(async () => (await listed(pid))?.mark).toEqual({ scope: "here", marker: "run_2" });
  });

  test("memory and processor time are those of the process", async () => {
    const work =
      "const held = Buffer.alloc(100e6, 1); while (process.cpuUsage().user < 150_000); console.log(process.pid); process.stdin.resume()";
    const pid = await pidSaidBy(`exec '${process.execPath}' -e '${work}'`);
    const entry = await table.find(pid);
    if (!entry) throw new Error("it is gone");
    const memoryBytes = (await table.measureMemory([entry])).get(pid);
    expect(memoryBytes).toBeGreaterThan(100e6);
    expect(memoryBytes).toBeLessThan(250e6);
    expect((await listed(pid))?.cpuMs).toBeGreaterThanOrEqual(100);
    expect(await table.measureMemory([])).toEqual(new Map());
  });
});
