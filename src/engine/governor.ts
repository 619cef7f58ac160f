import { createHash } from "node:crypto";
import type { AgentConfig, Config, ProjectConfig } from "../contract/config.ts";
import type { Hold } from "../contract/circuit.ts";
import type { ProjectId } from "../contract/ids.ts";
import type { RatePolicy } from "../contract/limits.ts";
import type { Project } from "../contract/project.ts";
import type { Stage } from "../contract/workflow.ts";
import { Gates, type Lane, type LaneAgent } from "../domain/gates.ts";
import { namedPool, workflowPool, type PoolFacts } from "../domain/pools.ts";
import type { RateUser } from "../domain/rate.ts";
import { HOSTED_SEAT, PROCESS_SEAT, type SeatKind, type Seats } from "../domain/seats.ts";
import { loadAccounts, runningByAccount } from "../store/accounts.ts";
import { loadCircuits } from "../store/circuits.ts";
import { bucketFullAt } from "../store/rates.ts";
import type { Reader } from "../store/database.ts";
import { listProjects } from "../store/projects.ts";
import { takenSeats } from "../store/runs.ts";
import { agentAsAt, agentAt, environmentOf } from "./job.ts";
import type { EngineParts } from "./parts.ts";

/** Variables whose values say as whom an agent logs in, and where. */
const CREDENTIAL = /TOKEN|SECRET|KEY|PASSW|CREDENTIAL|BASE_URL|ENDPOINT/i;

/** Everything that lets tasks start or holds them up, as the rows have it now. */
export function openGates(parts: EngineParts, reader: Reader, budgetHold: (projectId: ProjectId) => Hold | undefined): Gates {
  const config = parts.settings.current();
  // Counted from the rows, so that a limit holds over a restart, and whoever else claims.
  const taken = takenSeats(reader);
  return new Gates({
    now: parts.clock.now(),
    circuits: loadCircuits(reader),
    accounts: loadAccounts(reader),
    running: runningByAccount(reader),
    accountOf: (agent) => accountOf(parts, agent),
    budgetHold,
    runningMax: runningMax(parts),
    seats: seatsIn(config, taken),
    pools: { sizeOf: sizeOfPools(config), taken },
    rateOf(user) {
      const policy = policyOf(config, user);
      return policy && { policy, fullAt: bucketFullAt(reader, user) };
    },
    isUnlimited: [config.rates, config.pools, config.workflows].every((limits) => Object.keys(limits).length === 0),
  });
}

/** How many runs may be open at once, of whichever kind. */
export function runningMax({ settings }: Pick<EngineParts, "settings">): number {
  const { daemon, builtin } = settings.current();
  return daemon.maxProcesses + builtin.maxRunning;
}

/** The same without the kinds that no project asks for by its settings and no run has, which would only puzzle people. */
export function workersMax(parts: EngineParts, reader: Reader): number {
  const { daemon, builtin } = parts.settings.current();
  const asksForHosted = (project: Project) => {
    const config = parts.settings.forProject(project);
    const stages = ["", ...Object.keys(config.defaults.stages)].map((name) => ({ name, agent: null, model: null, effort: null }));
    return stages.flatMap((stage) => laneAgents(parts, config, stage)).some(({ seats }) => seats.includes(HOSTED_SEAT));
  };
  const isHostUsed = (takenSeats(reader).get(HOSTED_SEAT) ?? 0) > 0 || listProjects(reader).some(asksForHosted);
  return daemon.maxProcesses + (isHostUsed ? builtin.maxRunning : 0);
}

function seatsIn({ daemon, builtin }: Config, taken: ReadonlyMap<string, number>): Seats {
  const kind = (name: string, max: number, what: string, setting: string): [string, SeatKind] => [
    name,
    { taken: taken.get(name) ?? 0, max, what, setting },
  ];
  return new Map([
    kind(PROCESS_SEAT, daemon.maxProcesses, "agent processes", "daemon.maxProcesses"),
    kind(HOSTED_SEAT, builtin.maxRunning, "runs of Drover's own agent", "builtin.maxRunning"),
  ]);
}

/** The same with the seats that their runs would take. */
export function laneAgents(
  parts: EngineParts,
  config: ProjectConfig,
  stage: Pick<Stage, "name" | "agent" | "model" | "effort">,
): LaneAgent[] {
  const { agents } = parts.settings.current();
  return agentsFor(config, stage).map((name) => {
    const agent = agents[name];
    const isHosted = agent !== undefined && mayBeHosted(parts, config, agentAsAt(name, agent, config.defaults, stage));
    return { name, seats: [isHosted ? HOSTED_SEAT : PROCESS_SEAT] };
  });
}

/** Whether a run can share the agent host: nothing is to be around it, and nothing is asked for it that only a process of its own can be held to. */
function mayBeHosted({ drivers }: EngineParts, { defaults }: ProjectConfig, agent: AgentConfig): boolean {
  const isHeldToItsOwn = defaults.memoryMB !== null || defaults.cpuPercent !== null || defaults.processesMax !== null;
  return defaults.isolation === "process" && !isHeldToItsOwn && drivers.get(agent.driver)?.canShare?.(agent) === true;
}

/** The rate that something is held to; undefined: it may as often as it likes. */
export function policyOf(config: Config, { kind, name }: RateUser): RatePolicy | undefined {
  const { rates, defaults, workflows, agents } = config;
  const user = { project: defaults, workflow: workflows[name], agent: agents[name] }[kind];
  return rates[user?.rate ?? ""];
}

/** A workflow that nobody limits has room for any number of runs. */
function sizeOfPools({ pools, workflows }: Config): PoolFacts["sizeOf"] {
  const sizes = new Map(Object.entries(pools).map(([name, size]) => [namedPool(name), size]));
  for (const [name, { maxRunning }] of Object.entries(workflows)) sizes.set(workflowPool(name), maxRunning ?? Infinity);
  return (pool) => sizes.get(pool) ?? (pool.startsWith(workflowPool("")) ? Infinity : undefined);
}

/** The pools in which runs of a lane have a place: that of its workflow, then those that its stage and its tasks need. */
export function poolsOf({ workflow, needs }: Pick<Lane, "workflow" | "needs">, stage: Pick<Stage, "needs">): string[] {
  return [workflowPool(workflow), ...new Set([...stage.needs, ...needs].map(namedPool))];
}

/** The agents that may do a project's work at a stage, the wanted one first. */
export function agentsFor({ defaults }: Pick<ProjectConfig, "defaults">, stage: Pick<Stage, "name" | "agent">): string[] {
  return [agentAt(defaults, stage), ...defaults.handOver];
}

/**
 * The account whose limits an agent of the configuration shares: the one that its settings name, else its driver with a hash
 * of the credentials that it gets; where it gets none, it is the program's own login. Undefined: there is no such agent.
 */
export function accountOf(parts: Pick<EngineParts, "settings" | "drivers">, name: string): string | undefined {
  const agent = parts.settings.current().agents[name];
  if (agent === undefined) return undefined;
  if (agent.account !== null) return agent.account;
  const login = loginOf(agent, environmentOf(parts, { agent, driver: parts.drivers.get(agent.driver) }));
  return login.length === 0
    ? agent.driver
    : `${agent.driver}-${createHash("sha256").update(JSON.stringify(login)).digest("hex").slice(0, 12)}`;
}

function loginOf({ command }: AgentConfig, values: Readonly<Record<string, string>>): readonly unknown[] {
  const credentials = Object.keys(values)
    .filter((name) => CREDENTIAL.test(name) && values[name])
    .toSorted();
  return credentials.length > 0 ? credentials.map((name) => [name, values[name]]) : command;
}
