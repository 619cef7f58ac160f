import type { Config, ProjectConfig } from "../contract/config.ts";
import { cpusOf, type RunLimits } from "../process/limits.ts";

const MEGABYTE = 1024 * 1024;

/** What one agent of a project may take of the machine: the home's limits, and the project's own where they are lower. */
export function agentLimits({ resources }: Config, { defaults }: ProjectConfig): RunLimits {
  return {
    memoryBytes: Math.min(resources.agentMemoryMB, defaults.memoryMB ?? Infinity) * MEGABYTE,
    cpus: cpusOf(Math.min(resources.agentCpuPercent, defaults.cpuPercent ?? Infinity)),
    processes: Math.min(resources.agentProcessesMax, defaults.processesMax ?? Infinity),
  };
}

/** What all agents together may take. How many processes that are follows from how many agents there may be. */
export function totalLimits({ resources }: Config): RunLimits & { memoryBytes: number } {
  return { memoryBytes: resources.maxMemoryMB * MEGABYTE, cpus: cpusOf(resources.maxCpuPercent), processes: null };
}
