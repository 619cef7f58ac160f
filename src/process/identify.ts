import type { ProcessIdentity } from "../contract/run.ts";
import type { ProcessTable } from "./process-table.ts";

/** This process, as the table knows it. */
export async function identifySelf(table: ProcessTable): Promise<ProcessIdentity> {
  const self = await table.find(process.pid);
  if (self === undefined) throw new Error("The process table does not list its reader.");
  return { bootId: await table.readBootId(), pid: self.pid, startTime: self.startTime };
}
