import type { Run, RunOutcome } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import { admits, beginTrial, open, settle, type BreakerLimits, type BreakerVerdict } from "../domain/breaker.ts";
import { stageCircuit, SYSTEM_CIRCUIT, workerCircuit } from "../domain/gates.ts";
import { noteOverload, noteServed, noteUsageLimit, servesAgainAt, type AccountState } from "../domain/governor.ts";
import { verdictsOf } from "../domain/next-step.ts";
import { accountOfRun, findAccount, runningByAccount, saveAccount } from "../store/accounts.ts";
import { findCircuit, loadCircuits, saveCircuit } from "../store/circuits.ts";
import type { Transaction } from "../store/database.ts";
import type { EngineParts } from "./parts.ts";

/**
 * What the end of a run teaches: its circuit breakers and its provider's account are told, in the transaction that ends it.
 * Returns until when the account serves nobody; null: it serves.
 */
export function learnFromEnd(
  parts: EngineParts,
  tx: Transaction,
  task: Task,
  run: Run,
  outcome: RunOutcome,
  of: { readonly yieldsCommit: boolean; readonly isLoop: boolean },
): number | null {
  const isPerson = parts.drivers.get(run.driver)?.isPerson ?? false;
  const { worker, stage } = verdictsOf(outcome, { ...of, isPerson });
  const { workerFailures, stageFailures, systemWorkers, ...coolDown } = parts.settings.current().breakers;
  const message = describe(outcome);
  const tell = (id: string, verdict: BreakerVerdict, failures: number) =>
    tellCircuit(tx, { id, runId: run.id, verdict, limits: { failures, ...coolDown }, message });
  tell(stageCircuit(task.workflow, run.stage), stage, stageFailures);
  const opened = tell(workerCircuit(run.agent), worker, workerFailures);
  // A closed one opens by the workers alone.
  if (findCircuit(tx, SYSTEM_CIRCUIT).state !== "closed") tell(SYSTEM_CIRCUIT, worker, 1);
  else if (opened) openSystem(tx, systemWorkers, { failures: 1, ...coolDown });
  return learnOfAccount(parts, tx, run, outcome, worker === "success");
}

/** The provider refused a request of a run's agent for now, which tries again by itself: all that share its account are slowed down. */
export function learnOfOverload(parts: EngineParts, tx: Transaction, { id }: Pick<Run, "id">, message: string): void {
  changeAccount(tx, accountOfRun(tx, id), message, (account, running) => noteOverload(account, running, tx.now, parts.random));
}

/** A run has started as the trial of half-open circuits. */
export function beginTrials(tx: Transaction, circuits: readonly string[], { id }: Pick<Run, "id">): void {
  for (const circuit of circuits) {
    const breaker = findCircuit(tx, circuit);
    saveCircuit(tx, circuit, beginTrial(breaker, id), breaker.message);
  }
}

/** Whether it opened. */
function tellCircuit(
  tx: Transaction,
  {
    id,
    runId,
    verdict,
    limits,
    message,
  }: { id: string; runId: Run["id"]; verdict: BreakerVerdict; limits: BreakerLimits; message: string },
): boolean {
  const before = findCircuit(tx, id);
  const after = settle(before, runId, verdict, limits, tx.now);
  if (after === before) return false;
  saveCircuit(tx, id, after, verdict === "success" ? null : verdict === "neutral" ? before.message : message);
  return after.state === "open";
}

function openSystem(tx: Transaction, workersMax: number, limits: BreakerLimits): void {
  const closed = [...loadCircuits(tx)].filter(([id, breaker]) => id.startsWith(workerCircuit("")) && admits(breaker, tx.now) !== "run");
  if (closed.length < workersMax) return;
  const names = closed.map(([id]) => id).join(", ");
  saveCircuit(tx, SYSTEM_CIRCUIT, open(findCircuit(tx, SYSTEM_CIRCUIT), limits, tx.now), `Not closed are ${names}.`);
}

function learnOfAccount(parts: EngineParts, tx: Transaction, run: Run, outcome: RunOutcome, served: boolean): number | null {
  const key = accountOfRun(tx, run.id);
  const after = changeAccount(tx, key, describe(outcome), (account, running) => {
    if (served) return noteServed(account);
    if (outcome.status !== "failed") return account;
    if (outcome.reason === "overloaded") return noteOverload(account, running, tx.now, parts.random);
    return outcome.reason === "usage_limit" ? noteUsageLimit(account, outcome.retryAt, tx.now, parts.random) : account;
  });
  return servesAgainAt(after, tx.now);
}

function changeAccount(
  tx: Transaction,
  key: string,
  message: string,
  change: (account: AccountState, running: number) => AccountState,
): AccountState {
  const { message: lastMessage, ...before } = findAccount(tx, key);
  const after = change(before, runningByAccount(tx).get(key) ?? 0);
  if (after !== before) saveAccount(tx, key, { ...after, message: message || lastMessage });
  return after;
}

function describe(outcome: RunOutcome): string {
  return outcome.status === "failed" ? `${outcome.reason}: ${outcome.message}` : "";
}
