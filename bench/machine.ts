import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, tmpdir, totalmem, type as systemName } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/** Where figures were measured: without it they say nothing. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGB: number;
  readonly system: string;
  readonly node: string;
  /** The kind of file system that the figures were measured on. */
  readonly disk: string;
}

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 2 ** 30),
    system: `${systemName()} ${release()}`,
    node: process.version,
    disk: fileSystemOf(tmpdir()),
  };
}

/** Waits, a bounded time, for a moment in which others leave most of the machine to us. */
export async function untilQuiet({ withinMs, freeShare = 0.6 }: { withinMs: number; freeShare?: number }): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    const before = ticks();
    await sleep(250);
    const after = ticks();
    if ((after.idle - before.idle) / (after.all - before.all) >= freeShare) return;
  }
}

function ticks(): { idle: number; all: number } {
  const times = cpus().map((cpu) => cpu.times);
  const idle = times.reduce((sum, time) => sum + time.idle, 0);
  return { idle, all: idle + times.reduce((sum, time) => sum + time.user + time.sys + time.nice + time.irq, 0) };
}

function fileSystemOf(folder: string): string {
  if (process.platform !== "linux") return "unknown";
  const mounts = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, place = "?"]) => place === "/" || folder === place || folder.startsWith(`${place}/`));
  return mounts.toSorted((a, b) => (b[1]?.length ?? 0) - (a[1]?.length ?? 0))[0]?.[2] ?? "unknown";
}
