import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A file system in memory where there is one: the simulated daemons commit some ten thousand times a seed. */
const fastFolder = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

export interface SimulationRun {
  readonly exitCode: number | null;
  /** One object a seed, and the violation at the end if there was one. */
  readonly lines: readonly Record<string, unknown>[];
  readonly errors: string;
}

/** Runs the simulator of a tree (ours, or a mutated copy) in a process of its own, and leaves nothing behind. */
export async function runSimulation(root: string, options: Record<string, number>): Promise<SimulationRun> {
  const folder = mkdtempSync(join(fastFolder, "drover-simulate-"));
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(process.execPath, [join(root, "test/simulate/main.ts"), ...args], {
    env: { PATH: process.env["PATH"], DROVER_SIMULATE_IN: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors = (errors + text).slice(-10_000)));
  const closed = once(child, "close");
  try {
    const lines: Record<string, unknown>[] = [];
    for await (const line of createInterface({ input: child.stdout })) lines.push(JSON.parse(line) as Record<string, unknown>);
    const [exitCode] = (await closed) as [number | null];
    return { exitCode, lines, errors };
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}
