import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { ProcessIdentity } from "../../src/contract/run.ts";
import { noLimits, type RunLimits } from "../../src/process/limits.ts";
import { createSystemTable } from "../../src/process/system-table.ts";

const table = createSystemTable(systemClock);

/** A daemon that started a program and was killed with SIGKILL. Its spawner ends with it. */
export async function killedDaemon(
  folder: string,
  marker: string,
  program: string,
  limits: RunLimits = noLimits,
): Promise<{ directory: string; identity: ProcessIdentity }> {
  const daemon = join(import.meta.dirname, "dying-daemon.ts");
  const args = [daemon, folder, marker, program, JSON.stringify(limits)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const spawners = (await table.list()).filter(({ parent }) => parent === child.pid);
  expect(spawners).toHaveLength(1);
  child.kill("SIGKILL");
  await once(child, "exit");
  await expect.poll(() => table.find(spawners[0]?.pid ?? 0)).toBeUndefined();
  return { directory: join(folder, marker), identity: JSON.parse(line) as ProcessIdentity };
}
