import { AppError } from "../../base/errors.ts";
import type { Account, Circuit, CircuitLevel, CircuitSummary } from "../../contract/circuit.ts";
import { closedBreaker } from "../../domain/breaker.ts";
import { stageCircuit, SYSTEM_CIRCUIT, workerCircuit } from "../../domain/gates.ts";
import { capAt, freshAccount } from "../../domain/governor.ts";
import { loadAccounts, releaseAccount, runningByAccount } from "../../store/accounts.ts";
import { loadCircuits, saveCircuit, shownState, summarizeCircuits, type StoredBreaker } from "../../store/circuits.ts";
import { accountOf, runningMax } from "../governor.ts";
import type { EngineParts } from "../parts.ts";
import { audited, type ControlParts, type Verbs } from "./scope.ts";

type Names = "listCircuits" | "resetCircuit" | "listAccounts" | "resetAccount";

/** What stops starts: circuit breakers and the limits of providers' accounts. */
export function circuitVerbs(parts: ControlParts): Verbs<Names> {
  const { reader } = parts.database;

  function listCircuits(): Circuit[] {
    const circuits = loadCircuits(reader);
    return circuitIds(parts).map((id) => toCircuit(id, circuits.get(id) ?? { ...closedBreaker, message: null }, parts.clock.now()));
  }

  function listAccounts(): Account[] {
    const accounts = loadAccounts(reader);
    const running = runningByAccount(reader);
    const users = Map.groupBy(Object.keys(parts.settings.current().agents), (agent) => accountOf(parts, agent) ?? "");
    const keys = new Set([...users.keys(), ...accounts.keys()]);
    const now = parts.clock.now();
    const ahead = (at: number | null) => (at !== null && at > now ? at : null);
    return [...keys].toSorted().map((key) => {
      const state = accounts.get(key) ?? { ...freshAccount, message: null };
      const cap = capAt(state, now);
      return {
        key,
        agents: users.get(key) ?? [],
        running: running.get(key) ?? 0,
        runningMax: cap < runningMax(parts) ? cap : null,
        limitedUntil: ahead(state.limitedUntil),
        pausedUntil: ahead(state.pausedUntil),
        message: state.message,
      };
    });
  }

  return {
    listCircuits: () => ({ items: listCircuits() }),

    async resetCircuit({ params: { circuit: id }, actor }) {
      const known = circuitIds(parts);
      if (!known.includes(id)) throw new AppError("not_found", `There is no circuit ${JSON.stringify(id)}. There is: ${known.join(", ")}.`);
      await audited(parts, { actor, action: "circuit.reset", subject: id }, (tx) => saveCircuit(tx, id, closedBreaker, null));
      return toCircuit(id, { ...closedBreaker, message: null }, parts.clock.now());
    },

    listAccounts: () => ({ items: listAccounts() }),

    async resetAccount({ params: { account: key }, actor }) {
      const find = () => listAccounts().find((one) => one.key === key);
      if (!find()) throw new AppError("not_found", `There is no account ${JSON.stringify(key)}. List them with: drover account list`);
      await audited(parts, { actor, action: "account.reset", subject: key }, (tx) => releaseAccount(tx, key));
      return find() as Account;
    },
  };
}

/** How many circuits are in each state. */
export function countCircuits(parts: EngineParts): CircuitSummary {
  return summarizeCircuits(parts.database.reader, circuitIds(parts), parts.clock.now());
}

/** The circuits of what there is, and of what there was and has failed. */
function circuitIds(parts: EngineParts): string[] {
  const stages = parts.workflows.all().flatMap(({ name, workflow }) => workflow.stages.map((stage) => stageCircuit(name, stage.name)));
  const workers = Object.keys(parts.settings.current().agents).map(workerCircuit);
  return [...new Set([SYSTEM_CIRCUIT, ...workers, ...stages, ...loadCircuits(parts.database.reader).keys()])];
}

function toCircuit(id: string, breaker: StoredBreaker, now: number): Circuit {
  const { failures, openUntil, trial, message } = breaker;
  const level = id.split(":")[0] as CircuitLevel;
  return { id, level, state: shownState(breaker, now), failures, openUntil, trialRunId: trial, message };
}
