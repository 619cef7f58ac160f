import type { ProjectId, RunId } from "../contract/ids.ts";
import type { Reader, Transaction } from "./database.ts";

/** The newest runs of a project from which its agents' need of memory is learned. */
const LEARNED_FROM = 20;

/** Notes how much memory an open run took, if it never took more. */
export function recordMemory(tx: Transaction, runId: RunId, bytes: number): void {
  tx.run("UPDATE runs SET peak_memory_bytes = :bytes WHERE id = :runId AND finished_at IS NULL AND peak_memory_bytes < :bytes", {
    runId,
    bytes: Math.round(bytes),
  });
}

/** The most memory that one of a project's newest runs took, bytes; 0: none was measured. */
export function learnedMemory(reader: Reader, projectId: ProjectId): number {
  const row = reader.get<{ peak: number | null }>(
    `SELECT max(peak_memory_bytes) AS peak FROM (
       SELECT peak_memory_bytes FROM runs WHERE project_id = :projectId ORDER BY sequence DESC LIMIT ${LEARNED_FROM}
     )`,
    { projectId },
  );
  return row?.peak ?? 0;
}

/** The open runs with their projects. */
export function openFootprints(reader: Reader): { id: RunId; projectId: ProjectId; peakBytes: number }[] {
  return reader.all(
    "SELECT id, project_id AS projectId, peak_memory_bytes AS peakBytes FROM runs INDEXED BY runs_open WHERE finished_at IS NULL",
  );
}
