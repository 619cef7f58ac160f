import type { CircuitState, CircuitSummary } from "../contract/circuit.ts";
import type { RunId } from "../contract/ids.ts";
import { admits, closedBreaker, type Breaker } from "../domain/breaker.ts";
import { raiseAlert, resolveAlerts } from "./alerts.ts";
import { appendEvent } from "./events.ts";
import type { Reader, Transaction } from "./database.ts";

/** A breaker with the last failure that it counted. */
export type StoredBreaker = Breaker & { readonly message: string | null };

const OPEN_ALERT = "circuit_open";

/**
 * Every circuit breaker that was ever fed, by its id. A trial that is over in a way that nobody told the breaker of has given
 * its place to another.
 */
export function loadCircuits(reader: Reader): Map<string, StoredBreaker> {
  const rows = reader.all<CircuitRow>(
    `SELECT circuits.id, circuits.state, failures, openings, open_until, message, runs.id AS trial
     FROM circuits LEFT JOIN runs ON runs.id = trial_run_id AND finished_at IS NULL ORDER BY circuits.id`,
  );
  return new Map(
    rows.map(({ id, state, failures, openings, open_until: openUntil, trial, message }) => [
      id,
      { state, failures, openings, openUntil, trial, message },
    ]),
  );
}

/** One of them; closed when it was never fed. */
export function findCircuit(reader: Reader, id: string): StoredBreaker {
  return loadCircuits(reader).get(id) ?? { ...closedBreaker, message: null };
}

/** Ends every cool-down: somebody has mended something, so each open breaker may have its trial now. */
export function endCoolDowns(tx: Transaction): void {
  tx.run("UPDATE circuits SET open_until = :now WHERE state = 'open' AND open_until > :now", { now: tx.now });
}

/** Stores what has become of a breaker, and tells of it: an event for a change of state, an alert while it is open. */
export function saveCircuit(tx: Transaction, id: string, breaker: Breaker, message: string | null): void {
  const before = findCircuit(tx, id);
  tx.run(
    `INSERT INTO circuits (id, state, failures, openings, open_until, trial_run_id, message)
     VALUES (:id, :state, :failures, :openings, :openUntil, :trial, :message)
     ON CONFLICT (id) DO UPDATE SET state = excluded.state, failures = excluded.failures, openings = excluded.openings,
       open_until = excluded.open_until, trial_run_id = excluded.trial_run_id, message = excluded.message`,
    { id, ...columnsOf(breaker), message },
  );
  if (before.state === breaker.state) return;
  const { state: to, openUntil } = breaker;
  appendEvent(tx, { type: "circuit.changed", data: { circuit: id, from: before.state, to, openUntil, message } });
  if (to === "open") {
    const text =
      `Circuit ${id} is open: what it covers waits a while, and then one run is tried (drover circuit list). ${message ?? ""}`.trim();
    raiseAlert(tx, { kind: OPEN_ALERT, subject: id, message: text });
  }
  if (to === "closed") resolveAlerts(tx, OPEN_ALERT, id);
}

/** What people see of it: one whose cool-down is over is half open, though nothing has tried it yet. */
export function shownState(breaker: Breaker, now: number): CircuitState {
  return breaker.state === "open" && admits(breaker, now) === "trial" ? "half_open" : breaker.state;
}

/** How many of `ids` are in each state. */
export function summarizeCircuits(reader: Reader, ids: Iterable<string>, now: number): CircuitSummary {
  const circuits = loadCircuits(reader);
  const states = [...ids].map((id) => shownState(circuits.get(id) ?? closedBreaker, now));
  const count = (state: CircuitState) => states.filter((one) => one === state).length;
  return { closed: count("closed"), open: count("open"), halfOpen: count("half_open") };
}

interface CircuitRow {
  id: string;
  state: CircuitState;
  failures: number;
  openings: number;
  open_until: number | null;
  trial: RunId | null;
  message: string | null;
}

function columnsOf({ state, failures, openings, openUntil, trial }: Breaker) {
  return { state, failures, openings, openUntil, trial };
}
