import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { expect, test } from "vitest";
import type { ProjectId } from "../../src/contract/ids.ts";
import { verifyFile } from "../../src/store/verification.ts";
import { needs } from "../support/needs.ts";
import { addProject, scratchDatabase, type ScratchDatabase } from "../support/scratch-database.ts";

const PROGRAM = join(import.meta.dirname, "../programs/acknowledges-writes.ts");
type Writer = ChildProcessByStdio<null, Readable, null>;

test("no write that was acknowledged is lost, whenever the process is killed", async () => {
  using scratch = scratchDatabase();
  const { id } = addProject(scratch.database);
  const acknowledged: string[] = [];
  for (let kill = 0; kill < 20; kill += 1) {
    const writer: Writer = spawn(process.execPath, [PROGRAM, scratch.path, id], { stdio: ["ignore", "pipe", "inherit"] });
    const killAfter = acknowledged.length + 1 + Math.floor(Math.random() * 60);
    await collect(writer, (line) => {
      acknowledged.push(line);
      if (acknowledged.length === killAfter) writer.kill("SIGKILL");
    });
  }
  expectKept(scratch, acknowledged);
  expect(acknowledged.length).toBeGreaterThan(20);
}, 120_000);

const hasStrace = needs("strace").ok;

test.skipIf(!hasStrace)(
  "when an fsync fails, nothing more is acknowledged and the process ends; what was acknowledged is there",
  async () => {
    using scratch = scratchDatabase();
    const { id } = addProject(scratch.database);
    const writer = traced("fsync:error=EIO:when=40+", scratch.path, id);
    const acknowledged: string[] = [];
    const status = await collect(writer, (line) => void acknowledged.push(line));
    expect(status).toBe(3);
    expect(acknowledged.length).toBeGreaterThan(0);
    expectKept(scratch, acknowledged);
  },
);

test.skipIf(!hasStrace)("when a write to the disk fails now and then for want of room, what was acknowledged is there", async () => {
  using scratch = scratchDatabase();
  const { id } = addProject(scratch.database);
  const writer = traced("pwrite64:error=ENOSPC:when=200+25", scratch.path, id);
  const acknowledged: string[] = [];
  await collect(writer, (line) => void acknowledged.push(line));
  expect(acknowledged.length).toBeGreaterThan(0);
  expectKept(scratch, acknowledged);
});

/** With a fault of the kernel's answers, see strace(1). */
function traced(fault: string, path: string, id: ProjectId): Writer {
  const trace = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync,pwrite64", "-e", `inject=${fault}`];
  return spawn("strace", [...trace, process.execPath, PROGRAM, path, id], { stdio: ["ignore", "pipe", "ignore"] });
}

async function collect(writer: Writer, onLine: (line: string) => void): Promise<number | null> {
  const ended = once(writer, "close");
  for await (const line of createInterface(writer.stdout)) onLine(line);
  const [status] = (await ended) as [number | null];
  return status;
}

function expectKept(scratch: ScratchDatabase, acknowledged: readonly string[]): void {
  const kept = new Set(scratch.database.reader.all<{ id: string }>("SELECT id FROM tasks").map((row) => row.id));
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  expect(verifyFile(scratch.path).problems).toEqual([]);
}
