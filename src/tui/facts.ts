import type { Branch } from "../contract/branch.ts";
import type { Circuit } from "../contract/circuit.ts";
import type { Alert, AuditEntry, Event } from "../contract/event.ts";
import type { DaemonStatus, ProjectStatus } from "../contract/routes.ts";
import type { Run } from "../contract/run.ts";
import type { Task } from "../contract/task.ts";

/** What is known of Drover, as the API gave it and events changed it since. */
export interface Facts {
  readonly daemon: DaemonStatus | null;
  readonly tasks: ReadonlyMap<string, Task>;
  readonly runs: ReadonlyMap<string, Run>;
  /** Each task's newest run. */
  readonly newestRuns: ReadonlyMap<string, Run>;
  readonly projects: readonly ProjectStatus[];
  readonly alerts: readonly Alert[];
  readonly circuits: readonly Circuit[];
  readonly branches: readonly Branch[];
  /** The newest first, as the audit log. */
  readonly events: readonly Event[];
  readonly audit: readonly AuditEntry[];
}

export const noFacts: Facts = {
  daemon: null,
  tasks: new Map(),
  runs: new Map(),
  newestRuns: new Map(),
  projects: [],
  alerts: [],
  circuits: [],
  branches: [],
  events: [],
  audit: [],
};

/** How much is kept of what grows: the newest. */
export const KEPT = { tasks: 5000, runs: 5000, events: 5000, audit: 2000 } as const;

/** What was read anew. Tasks, runs, events and audit are added to what is known; the other lists take the place of the old ones. */
export type Reading = Partial<Omit<Facts, "tasks" | "runs" | "newestRuns">> & {
  readonly tasks?: readonly Task[];
  readonly runs?: readonly Run[];
};

export function learn(facts: Facts, { tasks = [], runs = [], events = [], audit = [], ...lists }: Reading): Facts {
  const allRuns = runs.length === 0 ? facts.runs : added(facts.runs, runs, KEPT.runs);
  return {
    ...facts,
    ...lists,
    tasks: tasks.length === 0 ? facts.tasks : added(facts.tasks, tasks, KEPT.tasks),
    runs: allRuns,
    newestRuns: allRuns === facts.runs ? facts.newestRuns : newestOf(allRuns),
    events: events.length === 0 ? facts.events : merged(facts.events, events, KEPT.events),
    audit: audit.length === 0 ? facts.audit : merged(facts.audit, audit, KEPT.audit),
  };
}

/** An event with what it says itself of the task that it is about; what it does not say is read (`staleAfter`). */
export function learnFromEvent(facts: Facts, event: Event): Facts {
  const task = facts.tasks.get(event.taskId ?? "");
  const events = merged(facts.events, [event], KEPT.events);
  const changed = task && changedBy(event, task);
  return { ...facts, events, ...(changed && { tasks: new Map(facts.tasks).set(changed.id, changed) }) };
}

function changedBy(event: Event, task: Task): Task | undefined {
  switch (event.type) {
    case "task.status_changed": {
      const { to, reason, message } = event.data;
      const hasEnded = to === "succeeded" || to === "failed" || to === "cancelled";
      return { ...task, status: to, reason, message, updatedAt: event.at, finishedAt: hasEnded ? event.at : null };
    }
    case "task.stage_changed":
      return { ...task, stage: event.data.to, updatedAt: event.at };
    case "task.changed":
      return { ...task, priority: event.data.priority, updatedAt: event.at };
    case "run.started":
      return {
        ...task,
        attempt: event.data.attempt,
        iteration: event.data.iteration ?? task.iteration,
        startedAt: task.startedAt ?? event.at,
      };
    default:
      return undefined;
  }
}

/** What an event makes out of date, beyond what it says itself. */
export interface Stale {
  readonly task?: string;
  readonly run?: string;
  readonly lists?: readonly ("alerts" | "circuits" | "branches" | "projects" | "daemon" | "audit")[];
}

export function staleAfter({ type, taskId, runId }: Event): Stale {
  const run = runId === null ? {} : { run: runId };
  const task = taskId === null ? {} : { task: taskId };
  switch (type) {
    case "task.created":
    case "task.rolled_back":
    case "task.dependencies_changed":
      return { ...task, lists: ["daemon", "projects", "audit"] };
    case "task.status_changed":
    case "task.changed":
      return { lists: ["daemon", "projects", "audit"] };
    case "run.started":
    case "run.adopted":
    case "run.progressed":
    case "run.state_changed":
    case "run.question_asked":
    case "run.question_answered":
      return run;
    case "run.ended":
      return { ...task, ...run, lists: ["daemon"] };
    case "effect.done":
      return { ...task, lists: ["branches"] };
    case "alert.raised":
    case "alert.resolved":
      return { lists: ["alerts"] };
    case "circuit.changed":
      return { lists: ["circuits"] };
    case "queue.paused":
    case "queue.resumed":
    case "queue.cleared":
      return { lists: ["daemon", "audit"] };
    case "config.changed":
      return { lists: ["daemon"] };
    default:
      if (type.startsWith("branch.")) return { lists: ["branches"] };
      return type.startsWith("project.") ? { lists: ["projects", "audit"] } : {};
  }
}

/** By id, at most `max`: what was made last is kept, and ids sort by the time of their making. */
function added<Item extends { readonly id: string }>(
  before: ReadonlyMap<string, Item>,
  items: readonly Item[],
  max: number,
): ReadonlyMap<string, Item> {
  const all = new Map(before);
  for (const item of items) all.set(item.id, item);
  if (all.size <= max) return all;
  return new Map([...all].toSorted(([one], [other]) => (one < other ? 1 : -1)).slice(0, max));
}

function newestOf(runs: ReadonlyMap<string, Run>): ReadonlyMap<string, Run> {
  const newest = new Map<string, Run>();
  for (const run of runs.values()) {
    const known = newest.get(run.taskId);
    if (known === undefined || known.epoch < run.epoch) newest.set(run.taskId, run);
  }
  return newest;
}

/** The newest first, each sequence once. */
function merged<Item extends { readonly sequence: number }>(before: readonly Item[], items: readonly Item[], max: number): readonly Item[] {
  const newest = before[0]?.sequence ?? 0;
  const [only] = items;
  // The usual case, one that comes behind all others.
  if (items.length === 1 && only && only.sequence > newest) return [only, ...before.slice(0, max - 1)];
  const all = new Map([...before, ...items].map((item) => [item.sequence, item]));
  return [...all.values()].toSorted((one, other) => other.sequence - one.sequence).slice(0, max);
}
