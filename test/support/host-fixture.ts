import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { createProcessHost, type RealHostOptions, type RealProcessHost } from "../../src/process/real-host.ts";
import { createSystemTable } from "../../src/process/system-table.ts";
import type { HostFixture } from "../conformance/process-host.ts";
import { commandIn, PATH } from "./held-command.ts";

export interface RealHostFixture extends HostFixture {
  readonly host: RealProcessHost;
  /** All its files are in here; also what makes its scope different from any other's. */
  readonly folder: string;
}

/** The real process host, in a folder of its own. */
export async function openRealHost(options: Partial<RealHostOptions> = {}): Promise<RealHostFixture> {
  const folder = await mkdtemp(join(tmpdir(), "drover-host-"));
  const table = createSystemTable(systemClock);
  const own = { scope: folder, agentHosts: join(folder, "agent-hosts"), path: PATH, outputMaxBytes: 2 ** 30 };
  const usual = { clock: systemClock, log: silentLog, table, ...own };
  const host = createProcessHost({ ...usual, ...options });
  let commands = 0;
  return {
    host,
    folder,
    command: (program, ...args) => commandIn(folder, `run_${(commands += 1)}`, program, ...args),
    async [Symbol.asyncDispose]() {
      const left = await host.sweep(() => false);
      await host.close();
      await untilNobodyNames(folder);
      await rm(folder, { recursive: true, force: true });
      expect(left).toEqual([]);
    },
  };
}

/** Holders end right after their command; the caller's time limit is ours. */
async function untilNobodyNames(folder: string): Promise<void> {
  for (;;) {
    const pids = (await readdir("/proc")).filter((name) => /^\d+$/u.test(name));
    const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
    if (!lines.some((line) => line.includes(folder))) return;
  }
}
