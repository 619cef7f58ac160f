import type { Hold } from "../contract/circuit.ts";
import type { ProjectId, RunId } from "../contract/ids.ts";
import { admits, beginTrial, closedBreaker, type Breaker } from "./breaker.ts";
import { minuteOf } from "./day.ts";
import { accountHold, freshAccount, type AccountState } from "./governor.ts";
import { isSeatLeft, takeSeats, whyNoSeat, type Seats } from "./seats.ts";
import { Pools, type PoolFacts } from "./pools.ts";
import { afterTaking, nextTokenAt, type Rate, type RateUser } from "./rate.ts";

/** Queued tasks of a project that the same things may hold up: of one stage, and with a session of the same agent to go on with, if any. */
export interface Lane {
  readonly workflow: string;
  /** The version that these tasks began with; null: they have not begun. */
  readonly workflowId: number | null;
  readonly stage: string;
  readonly sessionAgent: string | null;
  /** The pools that the tasks themselves need, in the order of their names. */
  readonly needs: readonly string[];
}

export function isSameLane(a: Lane, b: Lane): boolean {
  return (
    a.workflow === b.workflow &&
    a.workflowId === b.workflowId &&
    a.stage === b.stage &&
    a.sessionAgent === b.sessionAgent &&
    a.needs.join() === b.needs.join()
  );
}

/** What may start: tasks of a lane, by the first of these agents that may. */
export interface LaneRequest {
  readonly projectId: ProjectId;
  /** The same for lanes and agents that are the same, in whichever projects. */
  readonly key: string;
  readonly lane: Lane;
  /** The project's agent for the stage, then those that it hands over to. */
  readonly agents: readonly LaneAgent[];
  /** The pools in which a run of it has a place. */
  readonly pools: readonly string[];
}

export interface LaneAgent {
  readonly name: string;
  /** The kinds of seats that its run needs. */
  readonly seats: readonly string[];
}

/** What a task of a lane would start with now: which agent, on which account, and as the trial of which half-open circuits. */
export interface OpenPassage {
  readonly agent: string;
  readonly account: string;
  readonly trials: readonly string[];
  readonly seats: readonly string[];
  /** The pools in which its run has a place. */
  readonly pools: readonly string[];
  /** Whose rates its start takes a token of. */
  readonly rates: readonly RateUser[];
}

/** What of an open passage does not depend on whose task it is. */
type Way = Pick<OpenPassage, "agent" | "account" | "trials" | "seats">;

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
  readonly pools: PoolFacts;
  /** Undefined: it may as often as it likes. */
  readonly rateOf: (user: RateUser) => Rate | undefined;
  /** Whether no pool and no rate is configured. */
  readonly isUnlimited: boolean;
}

export const SYSTEM_CIRCUIT = "system";
export const workerCircuit = (agent: string): string => `worker:${agent}`;
export const stageCircuit = (workflow: string, stage: string): string => `stage:${workflow}.${stage}`;

/**
 * What lets tasks start or holds them up, at one moment: circuit breakers, the limits of providers' accounts, seats, pools, rates,
 * budgets. Kept true by `begin` while several start in a row, so that of a half-open circuit one trial starts and no more.
 */
export class Gates {
  readonly #facts: GateFacts;
  readonly #circuits: Map<string, Breaker>;
  readonly #running: Map<string, number>;
  #seats: Seats;
  /** What was found out since the last start. */
  #known = new Map<string, Way | { readonly hold: Hold }>();
  #budgets = new Map<ProjectId, Hold | undefined>();
  readonly #pools: Pools;
  /** Those that were asked for. */
  readonly #rates = new Map<string, Rate>();

  constructor(facts: GateFacts) {
    this.#facts = facts;
    this.#circuits = new Map(facts.circuits);
    this.#running = new Map(facts.running);
    this.#seats = facts.seats;
    this.#pools = new Pools(facts.pools);
  }

  /** Whether nothing that is asked here but the budgets can hold up anything now: then nobody needs to ask about lane after lane. */
  get areOpen(): boolean {
    const { accounts, now, runningMax, isUnlimited } = this.#facts;
    return (
      isSeatLeft(this.#seats) &&
      isUnlimited &&
      this.#circuits.values().every(({ state }) => state === "closed") &&
      [...accounts.values()].every((state) => accountHold(state, runningMax - 1, now) === undefined)
    );
  }

  pass(request: LaneRequest): Passage {
    const way = this.#passHere(request);
    if ("hold" in way) return way;
    const hold = this.#pools.hold({ key: waiterOf(request), pools: request.pools });
    return hold ? { hold } : way;
  }

  /** Keeps places in pools, as they become free, for tasks that have waited too long, if nothing else holds them up. */
  keepPlaces(waiting: readonly { readonly request: LaneRequest; readonly since: number }[]): void {
    const wanting = waiting.filter(({ request }) => !("hold" in this.#passHere(request)));
    this.#pools.keepFor(wanting.map(({ request, since }) => ({ key: waiterOf(request), pools: request.pools, since })));
  }

  /** A run has started that way. */
  begin(passage: OpenPassage, runId: RunId): void {
    for (const id of passage.trials) this.#circuits.set(id, beginTrial(this.#circuit(id), runId));
    this.#running.set(passage.account, (this.#running.get(passage.account) ?? 0) + 1);
    this.#seats = takeSeats(this.#seats, passage.seats);
    this.#pools.take(passage.pools);
    for (const user of passage.rates) this.#takeToken(user);
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
      ...[...this.#rates.values()].map((rate) => nextTokenAt(rate, now)),
    ];
    const ahead = times.filter((at): at is number => at !== null && at !== undefined && at > now);
    return ahead.length === 0 ? undefined : Math.min(...ahead);
  }

  /** Whether anything but a pool holds it up. */
  #passHere({ projectId, key, lane, agents, pools }: LaneRequest): Passage {
    const known = this.#known.get(key) ?? this.#find(lane, agents);
    this.#known.set(key, known);
    if ("hold" in known) return known;
    const users: RateUser[] = [
      { kind: "project", name: projectId },
      { kind: "workflow", name: lane.workflow },
      { kind: "agent", name: known.agent },
    ];
    const rates = users.filter((user) => this.#rate(user));
    const hold = this.#rateHold(rates) ?? this.#budgetHold(projectId);
    return hold ? { hold } : { ...known, pools, rates };
  }

  #budgetHold(projectId: ProjectId): Hold | undefined {
    if (!this.#budgets.has(projectId)) this.#budgets.set(projectId, this.#facts.budgetHold(projectId));
    return this.#budgets.get(projectId);
  }

  #rateHold(users: readonly RateUser[]): Hold | undefined {
    const { now } = this.#facts;
    for (const user of users) {
      const rate = this.#rate(user);
      const until = rate ? nextTokenAt(rate, now) : now;
      if (rate === undefined || until <= now) continue;
      const { calls, per } = rate.policy;
      return { reason: "rate", message: `The rate of its ${user.kind} is used up: ${calls} starts a ${per}.`, until };
    }
    return undefined;
  }

  #rate(user: RateUser): Rate | undefined {
    const id = `${user.kind}:${user.name}`;
    const rate = this.#rates.get(id) ?? this.#facts.rateOf(user);
    if (rate) this.#rates.set(id, rate);
    return rate;
  }

  #takeToken(user: RateUser): void {
    const rate = this.#rate(user);
    if (rate) this.#rates.set(`${user.kind}:${user.name}`, { ...rate, fullAt: afterTaking(rate, this.#facts.now) });
  }

  #find(lane: Lane, agents: readonly LaneAgent[]): Way | { readonly hold: Hold } {
    const ids = [SYSTEM_CIRCUIT, stageCircuit(lane.workflow, lane.stage)];
    const hold = this.#circuitHold(ids);
    if (hold) return { hold };
    const holds: Hold[] = [];
    for (const agent of inOrder(lane, agents)) {
      const way = this.#wayOf(agent, ids);
      if (way === undefined) continue;
      if ("agent" in way) return way;
      holds.push(way.hold);
      // It may start in a moment, which is no reason to begin anew with another one.
      if (way.hold.reason === "overloaded" || way.hold.reason === "no_seat") break;
    }
    return earliest(holds) ?? this.#unconfigured(agents, ids);
  }

  #wayOf({ name: agent, seats }: LaneAgent, ids: readonly string[]): Way | { readonly hold: Hold } | undefined {
    const account = this.#facts.accountOf(agent);
    if (account === undefined) return undefined;
    const all = [...ids, workerCircuit(agent)];
    const hold = this.#circuitHold(all.slice(-1)) ?? this.#accountHold(agent, account) ?? this.#seatHold(seats);
    return hold ? { hold } : { agent, account, trials: this.#trials(all), seats };
  }

  /** None of the agents is configured: the run begins all the same and fails with that reason, where its task shows it. */
  #unconfigured([first = { name: "", seats: [] }]: readonly LaneAgent[], ids: readonly string[]): Way | { readonly hold: Hold } {
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

/** Tasks of a lane of a project wait together, in their own order. */
function waiterOf({ projectId, key }: LaneRequest): string {
  return `${projectId} ${key}`;
}

/** One whose session there is goes first, if it is still one of them. */
function inOrder({ sessionAgent }: Lane, agents: readonly LaneAgent[]): LaneAgent[] {
  const isFirst = ({ name }: LaneAgent) => name === sessionAgent;
  return [...agents.filter(isFirst), ...agents.filter((one) => !isFirst(one))];
}

/** Why the first of the agents does not start, with the time at which the first of all may. */
function earliest(holds: readonly Hold[]): { readonly hold: Hold } | undefined {
  const [first] = holds;
  if (first === undefined) return undefined;
  const times = holds.flatMap(({ until }) => (until === null ? [] : [until]));
  return { hold: { ...first, until: times.length === 0 ? null : Math.min(...times) } };
}
