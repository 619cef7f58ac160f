import type { SchedulingStrategy } from "../contract/config.ts";
import type { ProjectId, TaskId } from "../contract/ids.ts";

/** A queued task that is due, as far as choosing needs it. */
export interface Candidate {
  taskId: TaskId;
  projectId: ProjectId;
  /** 0 to 100, more is sooner. */
  priority: number;
  deadlineAt: number | null;
  queuedAt: number;
  /** Order of making; the last word in every tie. */
  sequence: number;
}

/** A project with due work. */
export interface ProjectShare {
  projectId: ProjectId;
  /** 0 to 100, more is sooner; only the `priority` strategy looks at it. */
  priority: number;
  /** Greater than 0. */
  weight: number;
  /** That of its latest start; 0 at first. */
  virtualTime: number;
  running: number;
  runningMax: number;
  /**
   * The first task by each key: at least by (priority, sequence), by (deadline, priority, sequence) and by (queuedAt,
   * sequence). Distinct, in any order.
   */
  heads: readonly Candidate[];
}

export interface ScheduleInput {
  strategy: SchedulingStrategy;
  now: number;
  /** A task that has waited longer than this is aged: see `schedule`. */
  agingMs: number;
  running: number;
  runningMax: number;
  /** That of the latest start of all: the largest of every project, with due work or not. */
  virtualTime: number;
  projects: readonly ProjectShare[];
}

/** The task to start next. */
export interface Choice {
  taskId: TaskId;
  projectId: ProjectId;
  /** The project's after this start. */
  virtualTime: number;
  /** For people: "weighted share", "waited 61 min". */
  reason: string;
}

/**
 * The next task to start; undefined when a limit is reached or nothing is due. Pure, O(heads).
 *
 * Fair turns are start-time fair queueing (Goyal, Vin, Cheng: SIGCOMM 1996): a project's next start is due in virtual
 * time 1/weight after its latest one, but never before the latest of all, so that absence earns nothing. For any two
 * projects that have work and room all the while, with S starts and weights w, over any stretch:
 * |Si/wi - Sj/wj| <= 1/wi + 1/wj.
 * - `round-robin`: fair turns, all weights 1. `weighted-round-robin`: fair turns by weight.
 * - `priority`: the project's priority, then the task's, then fair turns.
 * - `deadline`: the earliest deadline of all projects, tasks without one last, then fair turns.
 *
 * Nothing starves. Within a project a task that has waited longer than `agingMs` goes before all others, the longest
 * waiting first. Between projects the round robins need no aging, so that their bound holds always; under `priority` and
 * `deadline` the projects with such a task go before all others, in fair turns among themselves, so that one project's
 * old backlog cannot hold up another's single task. A project with room and an aged task (under the round robins: with
 * any task) starts one after at most 1 + wk/w starts of each other project k, w being its own weight.
 */
export function schedule(input: ScheduleInput): Choice | undefined {
  if (input.running >= input.runningMax) return undefined;
  let best: ProjectShare | undefined;
  let bestTask: Candidate | undefined;
  let bestUrgency = Infinity;
  let bestTurn = Infinity;
  for (const project of input.projects) {
    if (project.running >= project.runningMax) continue;
    const task = firstTask(project.heads, input);
    if (task === undefined) continue;
    const urgency = urgencyOf(project, task, input);
    const turn = Math.max(project.virtualTime + 1 / weightOf(project, input.strategy), input.virtualTime);
    const order =
      bestTask === undefined ? -1 : compare(urgency, bestUrgency) || compare(turn, bestTurn) || task.sequence - bestTask.sequence;
    if (order >= 0) continue;
    best = project;
    bestTask = task;
    bestUrgency = urgency;
    bestTurn = turn;
  }
  if (best === undefined || bestTask === undefined) return undefined;
  return {
    taskId: bestTask.taskId,
    projectId: best.projectId,
    virtualTime: bestTurn,
    reason: reasonFor(best, bestTask, input),
  };
}

/**
 * The order in which `tasks` would start if nothing else came in, limits aside: what `queue status` shows. `heads` are
 * not looked at; tasks of projects that are not in `projects` are left out.
 */
export function orderQueue(input: ScheduleInput & { tasks: readonly Candidate[] }, count: number): TaskId[] {
  const waiting = Map.groupBy(input.tasks, (task) => task.projectId);
  const withHead = (project: ProjectShare): ProjectShare => {
    const task = firstTask(waiting.get(project.projectId) ?? [], input);
    return { ...project, running: 0, runningMax: 1, heads: task === undefined ? [] : [task] };
  };
  let { virtualTime } = input;
  let projects = input.projects.map(withHead);
  const order: TaskId[] = [];
  while (order.length < count) {
    projects = projects.filter((project) => project.heads.length > 0);
    const choice = schedule({ ...input, running: 0, runningMax: 1, virtualTime, projects });
    if (choice === undefined) break;
    const { taskId, projectId } = choice;
    virtualTime = choice.virtualTime;
    order.push(taskId);
    waiting.set(
      projectId,
      (waiting.get(projectId) ?? []).filter((task) => task.taskId !== taskId),
    );
    projects = projects.map((project) =>
      project.projectId === projectId ? withHead({ ...project, virtualTime: choice.virtualTime }) : project,
    );
  }
  return order;
}

function weightOf(project: ProjectShare, strategy: SchedulingStrategy): number {
  return strategy === "round-robin" ? 1 : project.weight;
}

function firstTask(tasks: readonly Candidate[], input: ScheduleInput): Candidate | undefined {
  let first: Candidate | undefined;
  for (const task of tasks) {
    if (first === undefined || compareTasks(task, first, input) < 0) first = task;
  }
  return first;
}

/** The order within one project: aged ones by their waiting; then by deadline, if that is the strategy; then by priority. */
function compareTasks(a: Candidate, b: Candidate, input: ScheduleInput): number {
  const aged = isAged(a, input);
  if (aged !== isAged(b, input)) return aged ? -1 : 1;
  if (aged) return a.queuedAt - b.queuedAt || a.sequence - b.sequence;
  const byDeadline = input.strategy === "deadline" ? compare(a.deadlineAt ?? Infinity, b.deadlineAt ?? Infinity) : 0;
  return byDeadline || b.priority - a.priority || a.sequence - b.sequence;
}

function isAged(task: Candidate, input: ScheduleInput): boolean {
  return input.now - task.queuedAt > input.agingMs;
}

/** The strategy's own order between projects: the lower goes first, equal ones take fair turns. */
function urgencyOf(project: ProjectShare, task: Candidate, input: ScheduleInput): number {
  switch (input.strategy) {
    case "round-robin":
    case "weighted-round-robin":
      return 0;
    case "priority":
      // Both are 0 to 100, so a project's priority outweighs any task's.
      return isAged(task, input) ? -Infinity : -(project.priority * 101 + task.priority);
    case "deadline":
      return isAged(task, input) ? -Infinity : (task.deadlineAt ?? Infinity);
  }
}

/** By size; unlike a difference it holds for infinities too. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function reasonFor(project: ProjectShare, task: Candidate, input: ScheduleInput): string {
  if (isAged(task, input)) return `waited ${Math.floor((input.now - task.queuedAt) / 60_000)} min`;
  switch (input.strategy) {
    case "round-robin":
      return "equal turns";
    case "priority":
      return `priority ${project.priority} of the project, ${task.priority} of the task`;
    case "deadline":
      return task.deadlineAt === null ? "weighted share, no deadline waits" : "earliest deadline";
    case "weighted-round-robin":
      return "weighted share";
  }
}
