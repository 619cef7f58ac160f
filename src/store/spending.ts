import type { ProjectId } from "../contract/ids.ts";
import { dayOf, type Day } from "../domain/day.ts";
import type { Spending } from "../domain/budget.ts";
import type { Reader, Transaction } from "./database.ts";

/** The newest runs of a project from which what one may cost is learned. */
const LEARNED_FROM = 20;

/** Adds to what a project's agents have used and cost on the day of the transaction. */
export function addSpending(tx: Transaction, projectId: ProjectId, used: { tokens: number; costUsdMicros: number }): void {
  tx.run(
    `INSERT INTO spending (day, project_id, tokens, cost_usd_micros) VALUES (:day, :projectId, max(0, :tokens), max(0, :costUsdMicros))
     ON CONFLICT (day, project_id) DO UPDATE SET tokens = tokens + excluded.tokens, cost_usd_micros = cost_usd_micros + excluded.cost_usd_micros`,
    { day: dayOf(tx.now).name, projectId, ...used },
  );
}

/** What a project's agents have cost on a day, or those of all, in millionths of a US dollar. */
export function spentOn(reader: Reader, { name: day }: Pick<Day, "name">, projectId?: ProjectId): number {
  const row =
    projectId === undefined
      ? reader.get<{ spent: number | null }>("SELECT sum(cost_usd_micros) AS spent FROM spending WHERE day = :day", { day })
      : reader.get<{ spent: number }>("SELECT cost_usd_micros AS spent FROM spending WHERE day = :day AND project_id = :projectId", {
          day,
          projectId,
        });
  return row?.spent ?? 0;
}

/**
 * What a run of the project may cost: as much as the dearest of its newest ones, in millionths of a US dollar. Infinity while
 * none has ended whose agent was started; 0 where they told no cost.
 */
export function expectedCost(reader: Reader, projectId: ProjectId): number {
  const row = reader.get<{ known: number; dearest: number | null }>(
    `SELECT count(*) AS known, max(cost_usd_micros) AS dearest FROM (
       SELECT cost_usd_micros, process, finished_at FROM runs WHERE project_id = :projectId ORDER BY sequence DESC LIMIT ${LEARNED_FROM}
     ) WHERE finished_at IS NOT NULL AND process IS NOT NULL`,
    { projectId },
  );
  return row === undefined || row.known === 0 ? Infinity : (row.dearest ?? 0);
}

/** What has been spent on a day, of a project or of all, and what the open runs may cost yet by what `expected` says of each one's project. */
export function spending(reader: Reader, day: Day, projectId: ProjectId | undefined, expected: (projectId: ProjectId) => number): Spending {
  const open = reader
    .all<{ project_id: ProjectId; cost: number }>(
      "SELECT project_id, coalesce(cost_usd_micros, 0) AS cost FROM runs INDEXED BY runs_open WHERE finished_at IS NULL",
    )
    .filter((run) => projectId === undefined || run.project_id === projectId);
  const reserved = open.reduce((sum, run) => sum + Math.max(0, expected(run.project_id) - run.cost), 0);
  return { spent: spentOn(reader, day, projectId), reserved, open: open.length };
}
