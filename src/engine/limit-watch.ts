import { messageOf } from "../base/errors.ts";
import type { RunId } from "../contract/ids.ts";
import type { Run } from "../contract/run.ts";
import type { HostUse, RunUse } from "../process/host.ts";
import type { RunLimits } from "../process/limits.ts";
import { openFootprints } from "../store/footprints.ts";
import { getProject } from "../store/projects.ts";
import { openRuns } from "../store/runs.ts";
import { agentDirectory } from "./job.ts";
import { agentLimits, totalLimits } from "./limits.ts";
import type { EngineParts } from "./parts.ts";
import type { StopReason } from "./run-stop.ts";

/** A limit that a run has passed. */
type Excess = Extract<StopReason, { kind: "limit" }>;

const MEGABYTE = 1024 * 1024;

/**
 * Holds the agents to their limits: hands those in force to the kernel, and ends the runs that are beyond theirs all the
 * same, because the kernel limits nobody here, or ended only a part of what they started.
 */
export class LimitWatch {
  readonly #parts: EngineParts;
  readonly #stop: (runId: RunId, excess: Excess) => void;
  #applying: Promise<void> = Promise.resolve();

  constructor(parts: EngineParts, stop: (runId: RunId, excess: Excess) => void) {
    this.#parts = parts;
    this.#stop = stop;
  }

  /** Puts the limits of the settings in force on what runs; one change after the other. */
  apply(): Promise<void> {
    this.#applying = this.#applying.then(() => this.#apply());
    return this.#applying;
  }

  /** Ends the runs that took more than they may. */
  check(use: HostUse): void {
    if (use.runs.size === 0) return;
    const open = openFootprints(this.#parts.database.reader).flatMap((run) => {
      const used = use.runs.get(run.id);
      return used ? [{ run, used }] : [];
    });
    const excesses = open.map(({ run, used }) => ({ run, excess: excessOf(used, this.#limitsOf(run)) }));
    for (const { run, excess } of excesses) if (excess) this.#stop(run.id, excess);
    if (!excesses.some(({ excess }) => excess)) this.#checkTotal(use, open);
  }

  async #apply(): Promise<void> {
    const { host, settings, database } = this.#parts;
    await this.#orLog(() => host.limitAll(totalLimits(settings.current())));
    for (const run of openRuns(database.reader)) {
      const limits = this.#limitsOf(run);
      await this.#orLog(() => host.limit(agentDirectory(this.#parts, run), limits));
      await this.#orLog(async () => this.#parts.isolations.get(run.isolation)?.limit?.(run.id, limits));
    }
  }

  async #orLog(change: () => Promise<void>): Promise<void> {
    try {
      await change();
    } catch (thrown) {
      // What neither the kernel nor a container engine knows of is measured against the settings in force all the same.
      this.#parts.log.error("limits not changed", { error: messageOf(thrown) });
    }
  }

  /** Together they take more than all may: the one that takes most goes, and then it is looked again. */
  #checkTotal({ memoryBytes }: HostUse, open: readonly { run: Pick<Run, "id">; used: RunUse }[]): void {
    const max = totalLimits(this.#parts.settings.current()).memoryBytes;
    if (memoryBytes <= max) return;
    const [biggest] = open.toSorted((one, other) => other.used.memoryBytes - one.used.memoryBytes);
    if (biggest) {
      const message = `All agents together took more memory than the ${max / MEGABYTE} MB of resources.maxMemoryMB, and this one the most: ${inMB(biggest.used.memoryBytes)} MB.`;
      this.#stop(biggest.run.id, { kind: "limit", reason: "memory", message });
    }
  }

  #limitsOf(run: Pick<Run, "projectId">): RunLimits {
    const { settings, database } = this.#parts;
    return agentLimits(settings.current(), settings.forProject(getProject(database.reader, run.projectId)));
  }
}

/** What to tell people when a run's memory was at an end. */
export function memoryMessage(limits: RunLimits): string {
  const own = limits.memoryBytes === null ? "" : ` its own (${inMB(limits.memoryBytes)} MB: resources.agentMemoryMB, defaults.memoryMB) or`;
  return `It reached a limit on memory:${own} that of all agents together (resources.maxMemoryMB).`;
}

function excessOf({ memoryBytes, processes, outOfMemory }: RunUse, limits: RunLimits): Excess | undefined {
  if (outOfMemory || memoryBytes > (limits.memoryBytes ?? Infinity)) {
    return { kind: "limit", reason: "memory", message: memoryMessage(limits) };
  }
  if (limits.processes === null || processes <= limits.processes) return undefined;
  const message = `It had ${processes} processes; ${limits.processes} are allowed (resources.agentProcessesMax, defaults.processesMax).`;
  return { kind: "limit", reason: "processes", message };
}

function inMB(bytes: number): number {
  return Math.round(bytes / MEGABYTE);
}
