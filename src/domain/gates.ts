import type { Hold } from "../contract/circuit.ts";
import type { ProjectId, RunId } from "../contract/ids.ts";
import { admits, beginTrial, closedBreaker, type Breaker } from "./breaker.ts";
import { minuteOf } from "./day.ts";
import { accountHold, freshAccount, type AccountState } from "./governor.ts";
import { isSeatLeft, takeSeats, whyNoSeat, type Seats } from "./seats.ts";

/** Queued tasks of a project that the same things may hold up: of one stage, and with a session of the same agent to go on with, if any. */
export interface Lane {
  readonly workflow: string;
  /** The version that these tasks began with; null: they have not begun. */
  readonly workflowId: number | null;
  readonly stage: string;
  readonly sessionAgent: string | null;
}

export function isSameLane(a: Lane, b: Lane): boolean {
  return a.workflow === b.workflow && a.workflowId === b.workflowId && a.stage === b.stage && a.sessionAgent === b.sessionAgent;
}

/** What may start: tasks of a lane, by the first of these agents that may. */
export interface LaneRequest {
  readonly projectId: ProjectId;
  /** The same for lanes and agents that are the same, in whichever projects. */
  readonly key: string;
  readonly lane: Lane;
  /** The project's agent for the stage, then those that it hands over to. */
  readonly agents: readonly LaneAgent[];
}

export interface LaneAgent {
  readonly name: string;
  /** The kinds of seats that its run needs. */
  readonly seats: readonly string[];
}

/** Which agent a task of a lane would start with now, on which account, and as the trial of which half-open circuits. */
export interface OpenPassage {
  readonly agent: string;
  readonly account: string;
  readonly trials: readonly string[];
  readonly seats: readonly string[];
}

/** That, or why it does not start. */
export type Passage = OpenPassage | { readonly hold: Hold };

export interface GateFacts {
  readonly now: number;
  /** By id; one that is not there is closed. */
  readonly circuits: ReadonlyMap<string, Breaker>;
  readonly accounts: ReadonlyMap<string, AccountState>;
  /** How many runs of each account are open. */
  readonly running: ReadonlyMap<string, number>;
  /** The account that an agent uses; undefined: there is no such agent. */
  readonly accountOf: (agent: string) => string | undefined;
  /** Why the money does not allow another run of the project, asked anew after each start. */
  readonly budgetHold: (projectId: ProjectId) => Hold | undefined;
  /** How many runs may be open at all. */
  readonly runningMax: number;
  readonly seats: Seats;
}

export const SYSTEM_CIRCUIT = "system";
export const workerCircuit = (agent: string): string => `worker:${agent}`;
export const stageCircuit = (workflow: string, stage: string): string => `stage:${workflow}.${stage}`;

/**
 * What lets tasks start or holds them up, at one moment: circuit breakers, the limits of providers' accounts, seats,
 * budgets. Kept true by `begin` while several start in a row, so that of a half-open circuit one trial starts and no more.
 */
export class Gates {
  readonly #facts: GateFacts;
  readonly #circuits: Map<string, Breaker>;
  readonly #running: Map<string, number>;
  #seats: Seats;
  /** What was found out since the last start. */
  #known = new Map<string, Passage>();
  #budgets = new Map<ProjectId, Hold | undefined>();

  constructor(facts: GateFacts) {
    this.#facts = facts;
    this.#circuits = new Map(facts.circuits);
    this.#running = new Map(facts.running);
    this.#seats = facts.seats;
  }

  /** Whether no circuit, no account and no want of a seat can hold up anything now: then nobody needs to ask about lane after lane. */
  get areOpen(): boolean {
    const { accounts, now, runningMax } = this.#facts;
    return (
      isSeatLeft(this.#seats) &&
      this.#circuits.values().every(({ state }) => state === "closed") &&
      [...accounts.values()].every((state) => accountHold(state, runningMax - 1, now) === undefined)
    );
  }

  pass({ projectId, key, lane, agents }: LaneRequest): Passage {
    const known = this.#known.get(key) ?? this.#find(lane, agents);
    this.#known.set(key, known);
    if ("hold" in known) return known;
    if (!this.#budgets.has(projectId)) this.#budgets.set(projectId, this.#facts.budgetHold(projectId));
    const hold = this.#budgets.get(projectId);
    return hold ? { hold } : known;
  }

  /** A run has started that way. */
  begin(passage: OpenPassage, runId: RunId): void {
    for (const id of passage.trials) this.#circuits.set(id, beginTrial(this.#circuit(id), runId));
    this.#running.set(passage.account, (this.#running.get(passage.account) ?? 0) + 1);
    this.#seats = takeSeats(this.#seats, passage.seats);
    this.#known = new Map();
    this.#budgets = new Map();
  }

  /** When the first of what holds something up will let go by itself; undefined: nothing that has a time does. */
  nextChangeAt(): number | undefined {
    const { now, accounts } = this.#facts;
    const times = [
      ...[...this.#circuits.values()].map(({ openUntil }) => openUntil),
      ...[...accounts].map(([key, state]) => accountHold(state, this.#running.get(key) ?? 0, now)?.until),
      ...[...this.#budgets.values()].map((hold) => hold?.until),
    ];
    const ahead = times.filter((at): at is number => at !== null && at !== undefined && at > now);
    return ahead.length === 0 ? undefined : Math.min(...ahead);
  }

  #find(lane: Lane, agents: readonly LaneAgent[]): Passage {
    const ids = [SYSTEM_CIRCUIT, stageCircuit(lane.workflow, lane.stage)];
    const hold = this.#circuitHold(ids);
    if (hold) return { hold };
    const passages: Passage[] = [];
    for (const agent of inOrder(lane, agents)) {
      const passage = this.#passageOf(agent, ids);
      if (passage === undefined) continue;
      if ("agent" in passage) return passage;
      passages.push(passage);
      // It may start in a moment, which is no reason to begin anew with another one.
      if (passage.hold.reason === "overloaded" || passage.hold.reason === "no_seat") break;
    }
    return earliest(passages) ?? this.#unconfigured(agents, ids);
  }

  #passageOf({ name: agent, seats }: LaneAgent, ids: readonly string[]): Passage | undefined {
    const account = this.#facts.accountOf(agent);
    if (account === undefined) return undefined;
    const all = [...ids, workerCircuit(agent)];
    const hold = this.#circuitHold(all.slice(-1)) ?? this.#accountHold(agent, account) ?? this.#seatHold(seats);
    return hold ? { hold } : { agent, account, trials: this.#trials(all), seats };
  }

  /** None of the agents is configured: the run begins all the same and fails with that reason, where its task shows it. */
  #unconfigured([first = { name: "", seats: [] }]: readonly LaneAgent[], ids: readonly string[]): Passage {
    const { name: agent, seats } = first;
    const hold = this.#seatHold(seats);
    return hold ? { hold } : { agent, account: "", trials: this.#trials(ids), seats };
  }

  #seatHold(seats: readonly string[]): Hold | undefined {
    const message = whyNoSeat(this.#seats, seats);
    return message === undefined ? undefined : { reason: "no_seat", message, until: null };
  }

  #circuitHold(ids: readonly string[]): Hold | undefined {
    const { now } = this.#facts;
    const id = ids.find((one) => admits(this.#circuit(one), now) === "none");
    if (id === undefined) return undefined;
    const { openUntil } = this.#circuit(id);
    const message = openUntil === null ? `Circuit ${id} waits for its trial.` : `Circuit ${id} is open until ${minuteOf(openUntil)}.`;
    return { reason: "circuit_open", message, until: openUntil };
  }

  #accountHold(agent: string, account: string): Hold | undefined {
    const { accounts, now } = this.#facts;
    const held = accountHold(accounts.get(account) ?? freshAccount, this.#running.get(account) ?? 0, now);
    if (held === undefined) return undefined;
    const why = held.reason === "usage_limit" ? "is at its usage limit" : "is slowed down, its provider being overloaded,";
    return { ...held, message: `The account of agent ${agent} ${why} until ${minuteOf(held.until)}.` };
  }

  #trials(ids: readonly string[]): string[] {
    return ids.filter((id) => admits(this.#circuit(id), this.#facts.now) === "trial");
  }

  #circuit(id: string): Breaker {
    return this.#circuits.get(id) ?? closedBreaker;
  }
}

/** One whose session there is goes first, if it is still one of them. */
function inOrder({ sessionAgent }: Lane, agents: readonly LaneAgent[]): LaneAgent[] {
  const isFirst = ({ name }: LaneAgent) => name === sessionAgent;
  return [...agents.filter(isFirst), ...agents.filter((one) => !isFirst(one))];
}

/** Why the first of the agents does not start, with the time at which the first of all may. */
function earliest(passages: readonly Passage[]): Passage | undefined {
  const holds = passages.flatMap((passage) => ("hold" in passage ? [passage.hold] : []));
  const [first] = holds;
  if (first === undefined) return undefined;
  const times = holds.flatMap(({ until }) => (until === null ? [] : [until]));
  return { hold: { ...first, until: times.length === 0 ? null : Math.min(...times) } };
}
