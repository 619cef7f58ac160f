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
  /** Starts so far, each counted as 1/weight. */
  virtualTime: number;
  running: number;
  runningMax: number;
  /** The first task by each key: at least the best by (priority, sequence), the earliest deadline, the oldest. Distinct, in any order. */
  heads: readonly Candidate[];
}

export interface ScheduleInput {
  strategy: SchedulingStrategy;
  now: number;
  /** A task that has waited longer than this goes first under every strategy. */
  agingMs: number;
  running: number;
  runningMax: number;
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
