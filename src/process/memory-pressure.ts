import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { MemoryPressure } from "./host.ts";
import { isSystemFailure } from "./system-error.ts";

/** As the kernel tells in /proc (proc_pressure(5), proc_meminfo(5)); a system without them tells nothing. */
export async function readMemoryPressure(proc: string): Promise<MemoryPressure> {
  const stalled = /^some avg10=([\d.]+)/mu.exec(await readOrEmpty(join(proc, "pressure/memory")))?.[1];
  const available = /^MemAvailable:\s+(\d+) kB/mu.exec(await readOrEmpty(join(proc, "meminfo")))?.[1];
  return {
    stalledPercent: stalled === undefined ? null : Number(stalled),
    availableBytes: available === undefined ? null : Number(available) * 1024,
  };
}

/** Missing, or there and not to be read, as where the kernel was started without it. */
async function readOrEmpty(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (failure) {
    if (isSystemFailure(failure)) return "";
    throw failure;
  }
}
