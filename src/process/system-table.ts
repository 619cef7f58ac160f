import type { Clock } from "../base/clock.ts";
import { createLinuxTable } from "./linux-table.ts";
import { createMacosTable, systemTool } from "./macos-table.ts";
import type { ProcessTable } from "./process-table.ts";

/** The process table of the system we run on. */
export function createSystemTable(clock: Clock): ProcessTable {
  return process.platform === "linux" ? createLinuxTable(clock) : createMacosTable(systemTool(clock));
}
