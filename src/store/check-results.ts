import type { ProjectId } from "../contract/ids.ts";
import type { CheckResult } from "../contract/proof.ts";
import type { Reader, Transaction } from "./database.ts";

/** Which check of which commit. `checkKey` is whatever else the result depends on. */
export interface CheckResultKey {
  readonly projectId: ProjectId;
  readonly commit: string;
  readonly checkKey: string;
}

const KEPT_MS = 30 * 24 * 3600 * 1000;

export function findCheckResult(reader: Reader, { projectId, commit, checkKey }: CheckResultKey): CheckResult | undefined {
  const row = reader.get<CheckResultRow>(
    `SELECT exit_code, duration_ms, failures, output_tail FROM check_results
     WHERE project_id = :projectId AND commit_hash = :commit AND check_key = :checkKey`,
    { projectId, commit, checkKey },
  );
  return row && toCheckResult(row);
}

/** Keeps a result for 30 days; a newer one of the same check and commit takes its place. */
export function saveCheckResult(tx: Transaction, { projectId, commit, checkKey, result }: CheckResultKey & { result: CheckResult }): void {
  const { exitCode, durationMs, failures, outputTail } = result;
  tx.run("DELETE FROM check_results WHERE saved_at BETWEEN 0 AND :oldest", { oldest: tx.now - KEPT_MS });
  tx.run(
    `INSERT OR REPLACE INTO check_results (project_id, commit_hash, check_key, exit_code, duration_ms, failures, output_tail, saved_at)
     VALUES (:projectId, :commit, :checkKey, :exitCode, :durationMs, :failures, :outputTail, :now)`,
    { projectId, commit, checkKey, exitCode, durationMs, failures: JSON.stringify(failures), outputTail, now: tx.now },
  );
}

interface CheckResultRow {
  exit_code: number | null;
  duration_ms: number;
  failures: string;
  output_tail: string;
}

function toCheckResult(row: CheckResultRow): CheckResult {
  return {
    exitCode: row.exit_code,
    durationMs: row.duration_ms,
    failures: JSON.parse(row.failures) as string[],
    outputTail: row.output_tail,
  };
}
