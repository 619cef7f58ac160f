import { z } from "zod";
import { ProjectId, TaskId, Timestamp } from "./ids.ts";
import { PoolNames } from "./limits.ts";
import { ProjectName } from "./project.ts";
import { Usage } from "./proof.ts";

/**
 * draft: written down, not yet wanted. queued: may start when its turn and its time (`runAfter`) have come.
 * running: a run is open. waiting: goes on by itself (a dependency, an answer, a reset). blocked: needs a person.
 * succeeded, failed, cancelled: ended; `retry` queues a failed or cancelled one again.
 */
export const TaskStatus = z.enum(["draft", "queued", "running", "waiting", "blocked", "succeeded", "failed", "cancelled"]);
export type TaskStatus = z.infer<typeof TaskStatus>;

export const endedStatuses = ["succeeded", "failed", "cancelled"] as const satisfies readonly TaskStatus[];

/** Where a task came from. (project, kind, key) is unique: taking the same request in twice makes one task. */
export const TaskSource = z.object({
  kind: z.enum(["github", "local", "cli", "api", "task"]),
  /** `issue:42`, or `issue:42#2` for its second follow-up; a UUID for a task that a person filed; what another task yielded names that. */
  key: z.string().min(1).max(200),
  /** The issue's number at its forge; null when there is none. */
  issue: z.int().positive().nullable(),
  url: z.string().nullable(),
  /** Who asked: the labeller or author of an issue, the person at the command line. */
  actor: z.string().nullable(),
});
export type TaskSource = z.infer<typeof TaskSource>;

/** How the result reaches people: a pull request, only a pushed branch, or only a comment; `parent`: it goes into the work of its parent. */
export const Delivery = z.enum(["pull_request", "branch", "comment", "parent"]);
export type Delivery = z.infer<typeof Delivery>;

/** What a person may choose: only what a parent's run made goes into the work of a parent. */
export const ChosenDelivery = Delivery.exclude(["parent"]);
export type ChosenDelivery = z.infer<typeof ChosenDelivery>;

export const TaskTitle = z.string().trim().min(1, "a task needs a title").max(500);
export const TaskBody = z.string().max(200_000);
export const TaskPriority = z.int().min(0).max(100).meta({ description: "0 to 100; the higher goes first within its project" });

/** A durable piece of wanted work in a project. */
export const Task = z.object({
  id: TaskId,
  projectId: ProjectId,
  project: ProjectName,
  /** Counts up from 1 within the project; `key` is `project#number`. */
  number: z.int().positive(),
  key: z.string(),
  title: TaskTitle,
  /** The request's text, frozen at intake: what the agent gets, whatever happens to the issue later. */
  body: TaskBody,
  /** SHA-256 (hex) of title and body at the moment of approval. */
  contentHash: z.string(),
  source: TaskSource,
  workflow: z.string(),
  /** The version of the workflow that it began with; null: it has not begun, and gets the one in force then. */
  workflowVersion: z.int().positive().nullable(),
  /** What was given for the workflow's parameters. */
  parameters: z.record(z.string(), z.string()),
  delivery: Delivery,
  status: TaskStatus,
  /** Why it has this status, for people and programs: `retry`, `dependency`, `agent_error`, `closed` ... ; null: nothing to say. */
  reason: z.string().nullable(),
  /** A sentence about it. */
  message: z.string().nullable(),
  /** The pools that it needs besides those of its stages. */
  needs: PoolNames,
  stage: z.string(),
  priority: TaskPriority,
  deadlineAt: Timestamp.nullable(),
  /** Not started before this time (the wait between attempts). */
  runAfter: Timestamp,
  /** Attempts used at the current stage, and how many it may use. An outage of ours is not an attempt. */
  attempt: z.int().nonnegative(),
  attemptMax: z.int().positive(),
  /** Which iteration of its stage's loop its next run is, or the one that runs; 1 where there is no loop. */
  iteration: z.int().positive(),
  /** The fencing number: raised by each claim; a write that carries an older one is refused. */
  epoch: z.int().nonnegative(),
  dependsOn: z.array(TaskId),
  parentId: TaskId.nullable(),
  /** The branch its result is pushed to; null until the first run. */
  branch: z.string().nullable(),
  /** The pull request that was opened; null: none (yet). */
  pullRequest: z.object({ number: z.int().positive(), url: z.string() }).nullable(),
  usage: Usage,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  startedAt: Timestamp.nullable(),
  finishedAt: Timestamp.nullable(),
});
export type Task = z.infer<typeof Task>;

/** What it takes to make a task. */
export const NewTask = z.object({
  projectId: ProjectId,
  title: TaskTitle,
  body: TaskBody,
  source: TaskSource,
  workflow: z.string(),
  /** The first stage of its workflow. */
  stage: z.string(),
  /** Left out: it has none. */
  parameters: z.record(z.string(), z.string()).optional(),
  /** The pools that it needs; left out: none but those of its stages. */
  needs: PoolNames.optional(),
  delivery: Delivery,
  priority: TaskPriority,
  deadlineAt: Timestamp.nullable(),
  dependsOn: z.array(TaskId),
  parentId: TaskId.nullable(),
  attemptMax: z.int().positive(),
  draft: z.boolean(),
});
export type NewTask = z.infer<typeof NewTask>;

/** How many tasks of a project, or of all, have each status. */
export const TaskCounts = z.record(TaskStatus, z.int().nonnegative());
export type TaskCounts = z.infer<typeof TaskCounts>;

/** A saved state of a task's work: a commit behind a ref of ours. `index` counts up from 1 within the task. */
export const Checkpoint = z.object({
  index: z.int().positive(),
  commit: z.string(),
  at: Timestamp,
  /** Why it was made: `agent_ended`, `stopping`, `timed_out`, `cancelled`, `removing`, `restart`. */
  reason: z.string(),
});
export type Checkpoint = z.infer<typeof Checkpoint>;
