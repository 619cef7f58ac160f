import { z } from "zod";
import { CircuitState } from "./circuit.ts";
import { ProjectId, RunId, TaskId, Timestamp } from "./ids.ts";
import { NoticeChange } from "./notice.ts";
import { RunOutcome, RunProgress, RunStateName } from "./run.ts";
import { TaskStatus } from "./task.ts";

const about = { projectId: ProjectId.nullable(), taskId: TaskId.nullable(), runId: RunId.nullable() };
const event = <Type extends string, Data extends z.ZodType>(type: Type, data: Data) =>
  z.object({
    /** Total order, and the id of the server-sent event. */
    sequence: z.int().positive(),
    at: Timestamp,
    type: z.literal(type),
    ...about,
    data,
  });

/** A stored fact in the past tense. Fields are only ever added; readers ignore types they do not know. */
export const Event = z.discriminatedUnion("type", [
  event("project.registered", z.object({ name: z.string() })),
  event("project.changed", z.object({ name: z.string(), changed: z.array(z.string()) })),
  event("project.unregistered", z.object({ name: z.string() })),
  event("project.poll_failed", z.object({ message: z.string() })),
  event("project.poll_recovered", z.object({})),
  event("issue.ignored", z.object({ issue: z.number(), reason: z.string() })),
  event("task.created", z.object({ key: z.string(), title: z.string(), status: TaskStatus })),
  /** What it waits for from now on, by id. */
  event("task.dependencies_changed", z.object({ dependsOn: z.array(TaskId), by: z.string() })),
  event("task.changed", z.object({ priority: z.number(), by: z.string() })),
  /** Written by a trigger, so it is there whoever changed the row. */
  event(
    "task.status_changed",
    z.object({ from: TaskStatus, to: TaskStatus, reason: z.string().nullable(), message: z.string().nullable() }),
  ),
  /** `handedOverFrom`: the agent of the run before, where that could not go on and this one does; it begins a session of its own. */
  event(
    "run.started",
    z.object({
      attempt: z.number(),
      agent: z.string(),
      worker: z.number(),
      stage: z.string(),
      iteration: z.number().optional(),
      handedOverFrom: z.string().nullable().optional(),
    }),
  ),
  event("run.progressed", z.object({ progress: RunProgress })),
  event("run.adopted", z.object({ progress: RunProgress })),
  event("run.agent_started", z.object({ pid: z.number() })),
  event("run.session_started", z.object({ sessionId: z.string(), model: z.string().nullable() })),
  event("run.message", z.object({ text: z.string() })),
  event("run.tool_called", z.object({ tool: z.string(), input: z.string() })),
  event("run.tool_finished", z.object({ tool: z.string(), failed: z.boolean() })),
  event("run.question_asked", z.object({ id: z.string(), tool: z.string(), input: z.string() })),
  event("run.question_answered", z.object({ id: z.string(), allow: z.boolean(), by: z.string() })),
  event("run.agent_retrying", z.object({ attempt: z.number(), message: z.string() })),
  event("run.agent_ended", z.object({ exitCode: z.number().nullable(), reason: z.string() })),
  event("run.checkpointed", z.object({ index: z.number(), commit: z.string(), reason: z.string() })),
  event("run.check_finished", z.object({ name: z.string(), tree: z.enum(["base", "head"]), exitCode: z.number().nullable() })),
  /** `from` is null when nothing was known before. */
  event(
    "run.state_changed",
    z.object({ from: RunStateName.nullable(), to: RunStateName, confidence: z.number(), evidence: z.array(z.string()) }),
  ),
  /** A stuck agent was told to go on or to say what it waits for. */
  event("run.nudged", z.object({ message: z.string() })),
  /** A person told the agent something more while it works. */
  event("run.told", z.object({ text: z.string(), by: z.string() })),
  event("run.ended", z.object({ outcome: RunOutcome })),
  event("effect.done", z.object({ kind: z.string(), url: z.string().nullable() })),
  event("effect.failed", z.object({ kind: z.string(), message: z.string(), final: z.boolean() })),
  event("branch.queued", z.object({})),
  event("branch.unqueued", z.object({ message: z.string() })),
  /** It was put onto another commit of the base, and has passed the checks there. */
  event("branch.moved", z.object({ fromBase: z.string(), baseCommit: z.string(), headCommit: z.string() })),
  event("branch.settled", z.object({ state: z.enum(["left", "merged", "closed"]), message: z.string().nullable() })),
  /** Its task is worked on again. */
  event("branch.reopened", z.object({ message: z.string() })),
  event("queue.paused", z.object({ by: z.string() })),
  event("queue.resumed", z.object({ by: z.string() })),
  event("queue.cleared", z.object({ by: z.string(), count: z.number() })),
  event("write.refused", z.object({ what: z.string(), epoch: z.number(), current: z.number() })),
  event(
    "circuit.changed",
    z.object({
      circuit: z.string(),
      from: CircuitState,
      to: CircuitState,
      openUntil: Timestamp.nullable(),
      message: z.string().nullable(),
    }),
  ),
  /** The provider of an account refused, or a person took back what followed from that. */
  event(
    "account.changed",
    z.object({
      account: z.string(),
      limitedUntil: Timestamp.nullable(),
      pausedUntil: Timestamp.nullable(),
      runningMax: z.int().nullable(),
      message: z.string().nullable(),
    }),
  ),
  event("task.stage_changed", z.object({ from: z.string(), to: z.string() })),
  event("task.rolled_back", z.object({ iteration: z.number(), by: z.string() })),
  event("workflow.accepted", z.object({ name: z.string(), version: z.number() })),
  event("workflow.rejected", z.object({ file: z.string(), message: z.string() })),
  event("workflow.withdrawn", z.object({ name: z.string() })),
  event("workflow.rolled_back", z.object({ name: z.string(), version: z.number() })),
  event("alert.raised", z.object({ kind: z.string(), message: z.string() })),
  event("alert.resolved", z.object({ kind: z.string() })),
  /** A channel was told of so many alerts of a kind. */
  event("notice.sent", z.object({ channel: z.string(), kind: z.string(), change: NoticeChange, count: z.int(), heldBack: z.int() })),
  event("notice.failed", z.object({ channel: z.string(), kind: z.string(), message: z.string(), final: z.boolean() })),
  event("config.changed", z.object({ keys: z.array(z.string()) })),
  event("config.rejected", z.object({ message: z.string() })),
  event("daemon.started", z.object({ version: z.string(), pid: z.number() })),
  event("daemon.stopped", z.object({ how: z.string() })),
]);
export type Event = z.infer<typeof Event>;

/**
 * A sign of life of a worker, sent to all who follow the events and not stored as one: what is stored of it is the run's
 * lease. It has no sequence and its server-sent event no id, so following again never repeats it, and the typed client,
 * which yields what has an id, leaves it out.
 */
export const WorkerHeartbeat = z.object({
  type: z.literal("worker.heartbeat"),
  at: Timestamp,
  ...about,
  data: z.object({ worker: z.int().positive(), state: RunStateName.nullable() }),
});
export type WorkerHeartbeat = z.infer<typeof WorkerHeartbeat>;

/** An event as a writer gives it: the store adds `sequence` and `at`; what it is about may be left out. */
export type NewEvent = Event extends infer One
  ? One extends Event
    ? Pick<One, "type" | "data"> & Partial<Pick<One, "projectId" | "taskId" | "runId">>
    : never
  : never;

/** Who did something, for the audit log: `cli`, `api`, `daemon`, `github:octocat`. */
const Actor = z.string().min(1).max(200);

/** A line of the audit log: who did what to which thing. Never changed, never removed. */
export const AuditEntry = z.object({
  sequence: z.int().positive(),
  at: Timestamp,
  actor: Actor,
  action: z.string(),
  subject: z.string(),
  detail: z.record(z.string(), z.unknown()),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

/** Something a person must see, until resolved. One open alert per kind and subject; a repeat counts up. */
export const Alert = z.object({
  id: z.string(),
  kind: z.string(),
  subject: z.string(),
  message: z.string(),
  count: z.int().positive(),
  projectId: ProjectId.nullable(),
  taskId: TaskId.nullable(),
  raisedAt: Timestamp,
  lastAt: Timestamp,
  resolvedAt: Timestamp.nullable(),
});
export type Alert = z.infer<typeof Alert>;
