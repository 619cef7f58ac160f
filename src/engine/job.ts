import { join } from "node:path";
import { AppError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { AgentConfig, ProjectConfig } from "../contract/config.ts";
import type { NewEvent } from "../contract/event.ts";
import type { Project } from "../contract/project.ts";
import type { Run } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";
import type { Driver } from "../agents/driver.ts";
import type { Isolation } from "../isolation/isolation.ts";
import { hookOfEvent } from "../domain/hook-of-event.ts";
import type { Transaction } from "../store/database.ts";
import { recordHookEvents } from "../store/hook-events.ts";
import { getProject } from "../store/projects.ts";
import { recordRun, type RunChange } from "../store/transitions.ts";
import { getTask } from "../store/tasks.ts";
import type { Stage, Workflow } from "../contract/workflow.ts";
import type { EngineParts } from "./parts.ts";
import { stageOf } from "./workflow-library.ts";

/** A run with all that carrying it out needs to know. The configuration is that of the run's start: a later edit holds for the next run. */
export interface Job {
  readonly run: Run;
  readonly task: Task;
  readonly project: Project;
  readonly config: ProjectConfig;
  readonly workflow: Workflow;
  readonly stage: Stage;
  readonly agent: AgentConfig;
  readonly driver: Driver;
  readonly isolation: Isolation;
  readonly log: Log;
  /** The run's folder: prompt, agent's streams, checks' streams. */
  readonly directory: string;
  /** The held command that is the agent. */
  readonly agentDirectory: string;
  /** The agent's own configuration and sessions: one folder a task, whose runs follow each other, so that one can go on in another's session. */
  readonly configDirectory: string;
}

/** Where everything of a run lies. */
export function runDirectory({ paths }: Pick<EngineParts, "paths">, run: Pick<Run, "id" | "taskId">): string {
  return join(paths.runs, run.taskId, run.id);
}

/** The folder of the held command that is a run's agent. */
export function agentDirectory(parts: Pick<EngineParts, "paths">, run: Pick<Run, "id" | "taskId">): string {
  return join(runDirectory(parts, run), "agent");
}

/** The configuration and sessions of a task's agents. */
export function configDirectory({ paths }: Pick<EngineParts, "paths">, run: Pick<Run, "taskId">): string {
  return join(paths.runs, run.taskId, "config");
}

/** Throws `not_found` or `invalid` when the agent, the isolation or the workflow that the run names is not there any more. */
export function openJob(parts: EngineParts, run: Run): Job {
  const { reader } = parts.database;
  const task = getTask(reader, run.taskId);
  const project = getProject(reader, run.projectId);
  const workflow = parts.workflows.of(task);
  const stage = stageOf(workflow, run.stage);
  const config = limitedTo(parts.settings.forProject(project), stage);
  const { agent, driver } = findAgent(parts, run.agent);
  const directory = runDirectory(parts, run);
  return {
    run,
    task,
    project,
    config,
    workflow,
    stage,
    agent: agentAsAt(run.agent, agent, config.defaults, stage),
    driver,
    isolation: findIsolation(parts, run.isolation),
    log: parts.log.child({ taskId: task.id, runId: run.id, projectId: project.id, agent: run.agent, stage: run.stage }),
    directory,
    agentDirectory: agentDirectory(parts, run),
    configDirectory: configDirectory(parts, run),
  };
}

/** The project's configuration with what a stage of its workflow says: its checks, and limits that are only ever tighter. */
function limitedTo(config: ProjectConfig, { checks, limits }: Stage): ProjectConfig {
  const { defaults } = config;
  return {
    ...config,
    checks: checks === "project" ? config.checks : checks,
    defaults: {
      ...defaults,
      timeout: Math.min(defaults.timeout, limits.timeoutMs ?? Infinity),
      runTimeoutMs: Math.min(defaults.runTimeoutMs, limits.runTimeoutMs ?? Infinity),
    },
  };
}

/** Which agent does a stage when nothing else is decided: what the project says of the stage, else the workflow, else the project's agent. */
export function agentAt({ agent, stages }: ProjectConfig["defaults"], stage: Pick<Stage, "name" | "agent">): string {
  return stages[stage.name]?.agent ?? stage.agent ?? agent;
}

/** The agent of a name as a stage has it. What a stage says is meant for the agent that it wants, not for one that took over. */
export function agentAsAt(
  name: string,
  agent: AgentConfig,
  defaults: ProjectConfig["defaults"],
  stage: Pick<Stage, "name" | "agent" | "model" | "effort">,
): AgentConfig {
  if (name !== agentAt(defaults, stage)) return agent;
  const own = defaults.stages[stage.name] ?? {};
  return {
    ...agent,
    model: own.model ?? stage.model ?? defaults.model ?? agent.model,
    effort: own.effort ?? stage.effort ?? agent.effort,
    args: [...agent.args, ...(own.args ?? [])],
    env: [...agent.env, ...(own.env ?? [])],
  };
}

/** The configured agent of a name and its driver. Throws `invalid` saying what is wrong with either. */
export function findAgent(parts: Pick<EngineParts, "settings" | "drivers">, name: string): { agent: AgentConfig; driver: Driver } {
  const { agents } = parts.settings.current();
  const agent = agents[name];
  if (!agent) throw new AppError("invalid", `No agent named ${name} is configured. There is: ${Object.keys(agents).join(", ")}.`);
  return { agent, driver: parts.drivers.find(agent.driver) };
}

/** What an agent gets of the daemon's environment. */
export function environmentOf(
  { settings }: Pick<EngineParts, "settings">,
  { agent, driver }: { readonly agent: AgentConfig; readonly driver: Driver | undefined },
): Record<string, string> {
  return settings.environment([...agent.env, ...(driver?.credentials?.(agent) ?? [])]);
}

/** The isolation of a name. Throws `invalid` naming what there is. */
export function findIsolation({ isolations }: Pick<EngineParts, "isolations">, name: string): Isolation {
  const isolation = isolations.get(name);
  if (!isolation) throw new AppError("invalid", `There is no isolation ${name}. There is: ${[...isolations.keys()].join(", ")}.`);
  return isolation;
}

/**
 * Stores what became of the run so far, and of the events what the agent's hooks do not tell also as hook events. Throws
 * `conflict` when the run is no longer ours: whoever carries it must let go.
 * @param also what else to write in that transaction.
 */
export async function record(
  parts: EngineParts,
  job: Job,
  change: RunChange,
  events: readonly NewEvent[] = [],
  also: (tx: Transaction) => void = () => {},
): Promise<void> {
  const told = events.map((event) => about(job, event));
  const kept = await parts.database.write((tx) => {
    const isOurs = recordRun(tx, job.run, change, told);
    if (isOurs) {
      recordDaemonHooks(tx, job.run, told, job.driver);
      also(tx);
    }
    return isOurs;
  });
  if (!kept) throw new AppError("conflict", `Run ${job.run.id} of ${job.task.key} was taken over by a later claim.`);
}

/** Stores events of an open run as hook events where its agent's own hooks do not tell them. */
export function recordDaemonHooks(
  tx: Transaction,
  run: Pick<Run, "id" | "epoch">,
  events: readonly NewEvent[],
  driver: Pick<Driver, "announces"> | undefined,
): void {
  const hooks = events.map((event) => hookOfEvent(event, driver?.announces ?? [])).filter((hook) => hook !== undefined);
  if (hooks.length > 0) recordHookEvents(tx, run, hooks);
}

function about(job: Job, event: NewEvent): NewEvent {
  return { ...event, projectId: job.project.id, taskId: job.task.id, runId: job.run.id };
}
