import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, statfsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findProblems } from "../../src/store/verification.ts";
import { getRun } from "../../src/store/runs.ts";
import { finishRun } from "../../src/store/transitions.ts";
import { insertTask } from "../../src/store/tasks.ts";
import { needs } from "../support/needs.ts";
import { addProject, addTask, content, newTask, scratchDatabase, startTask, step } from "../support/scratch-database.ts";

const RESERVE_BYTES = 2 * 1024 * 1024;

test.skipIf(!needs("tmpfs").ok)(
  "on a full disk the reserve lets running work be recorded, then writes are refused, and with room all goes on",
  async () => {
    using scratch = scratchDatabase();
    using disk = smallDisk(join(scratch.folder, "disk"));
    const { clock } = scratch;
    const path = join(disk.path, "drover.db");
    const database = scratch.reopen({ path, reserveBytes: RESERVE_BYTES });
    const { id } = addProject(database);
    const run = startTask(database, addTask(database, id).id);
    clock.advance(1000);
    expect([statSync(`${path}-reserve`).size, statSync(`${path}-reserve`).blocks * 512, database.isDiskFull]).toEqual([
      RESERVE_BYTES,
      RESERVE_BYTES,
      false,
    ]);

    disk.fill();
    const write = () => database.write((tx) => insertTask(tx, newTask(id, { body: "x".repeat(200_000) })).task);
    const first = await write();
    expect([first.number, database.isDiskFull, existsSync(`${path}-reserve`)]).toEqual([2, true, false]);
    expect(await database.write((tx) => finishRun(tx, run, { outcome: content, next: step("succeeded") }))).toBe(true);

    const writeUntilRefused = async (): Promise<never> => {
      for (;;) await write();
    };
    await expect(writeUntilRefused()).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("Make room"),
      details: { reason: "storage_full" },
    });
    expect(getRun(database.reader, run.id).outcome).toEqual(content);

    disk.empty();
    const { number } = await write();
    expect(database.isDiskFull).toBe(true);
    clock.advance(60_000);
    expect([database.isDiskFull, existsSync(`${path}-reserve`)]).toEqual([false, true]);
    expect([number > 2, findProblems(database.reader)]).toEqual([true, []]);
    database.close();
  },
);

test("without room the reserve is not made, and with none wanted neither", () => {
  using scratch = scratchDatabase();
  const { clock } = scratch;
  const huge = join(scratch.folder, "huge.db");
  scratch.reopen({ path: huge, reserveBytes: Number.MAX_SAFE_INTEGER / 4 });
  clock.advance(120_000);
  expect([existsSync(`${huge}-reserve`), existsSync(`${scratch.path}-reserve`)]).toEqual([false, false]);
});

/** A file system of 16 MB at `path`. */
function smallDisk(path: string) {
  mkdirSync(path);
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", path], { stdio: "inherit" });
  expect(status).toBe(0);
  const filler = join(path, "filler");
  return {
    path,
    fill() {
      const { bavail, bsize } = statfsSync(path);
      writeFileSync(filler, Buffer.alloc(bavail * bsize));
    },
    empty: () => rmSync(filler),
    [Symbol.dispose]: () => void spawnSync("umount", ["--lazy", path], { stdio: "inherit" }),
  };
}
