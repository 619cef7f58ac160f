import { z } from "zod";
import { Duration, ProjectId, RunId, TaskId, Timestamp } from "./ids.ts";
import { Proof, Usage } from "./proof.ts";

/**
 * How far a run is. preparing: workspace and set-up. prompting: prompt written, agent being started. working: the agent
 * works. verifying: our checks. A run that outlives a daemon goes on where its progress says.
 */
export const RunProgress = z.enum(["preparing", "prompting", "working", "verifying"]);
export type RunProgress = z.infer<typeof RunProgress>;

/**
 * Why a run failed; what follows from each is in `domain/next-step.ts`. `network`: the agent did not reach its provider;
 * `unreachable`: we did not reach ours. `overloaded`: the provider refused for now; `usage_limit`: until a time of its own.
 * `no_progress`: iterations of a loop came to the same result again and again; `iterations`: it had as many as it may have.
 * `siblings_conflict`: what it did does not go with what another child of its parent did.
 * `host_lost`: the agent host that carried it ended, and others with it.
 * `base_conflict`: its work does not fit the base any more, and a person is to say who resolves that.
 */
export const FailureReason = z.enum([
  "agent_error",
  "agent_missing",
  "auth",
  "network",
  "overloaded",
  "usage_limit",
  "budget",
  "memory",
  "processes",
  "permission_denied",
  "timed_out",
  "stalled",
  "check_failed",
  "no_change",
  "no_progress",
  "siblings_conflict",
  "iterations",
  "base_conflict",
  "setup_failed",
  "isolation_missing",
  "isolation_failed",
  "image_failed",
  "workspace_failed",
  "unreachable",
  "lost",
  "host_lost",
]);
export type FailureReason = z.infer<typeof FailureReason>;

/** Who or what ended a run before it was done. */
export const CancelledBy = z.enum(["user", "source", "shutdown"]);
export type CancelledBy = z.infer<typeof CancelledBy>;

/**
 * How a run ended. `no_change`: the agent was content and our checks too, but the tree is as it was (a plan, an answer,
 * or nothing to do); `report` is its last message.
 */
export const RunOutcome = z.discriminatedUnion("status", [
  z.object({ status: z.literal("succeeded"), proof: Proof, report: z.string() }),
  z.object({ status: z.literal("no_change"), report: z.string() }),
  z.object({
    status: z.literal("failed"),
    reason: FailureReason,
    message: z.string(),
    /** What our checks saw, when they were why. */
    proof: Proof.nullable(),
    /** The agent's last words, where it came to its end. */
    report: z.string().optional(),
    /** When it may go on, where somebody said so: the provider, or the budget of a day; null: nobody did. */
    retryAt: Timestamp.nullable(),
  }),
  z.object({ status: z.literal("cancelled"), by: CancelledBy, message: z.string() }),
]);
export type RunOutcome = z.infer<typeof RunOutcome>;

/** Identifies a process for good: a pid alone is reused. */
export const ProcessIdentity = z.object({
  bootId: z.string(),
  pid: z.int().positive(),
  /** Start time as the kernel counts it (Linux: clock ticks since boot, field 22 of /proc/PID/stat). */
  startTime: z.string(),
});
export type ProcessIdentity = z.infer<typeof ProcessIdentity>;

/** Something the agent wants a person to decide, while it waits. */
export const Question = z.object({
  /** The agent's own id of the request; an answer names it. */
  id: z.string(),
  /** The tool it wants to use, `Bash`. */
  tool: z.string(),
  /** What it wants to do, as JSON text. */
  input: z.string(),
  askedAt: Timestamp,
});
export type Question = z.infer<typeof Question>;

/**
 * What a run is doing, as the facts say. running: it works. waiting_permission, waiting_answer: for a person. usage_limit:
 * its provider serves it no more until some time. rate_limited: its provider slows it down, and it tries again by itself.
 * stuck: nothing shows that it works, or it does the same again and again. finished: its agent ended with its last word.
 * crashed: without one.
 */
export const RunStateName = z.enum([
  "running",
  "waiting_permission",
  "waiting_answer",
  "usage_limit",
  "rate_limited",
  "stuck",
  "finished",
  "crashed",
]);
export type RunStateName = z.infer<typeof RunStateName>;

/** A state with what it was concluded from. */
export const RunState = z.object({
  state: RunStateName,
  since: Timestamp,
  confidence: z.number().min(0).max(1),
  /** The facts, a sentence each, the weightiest first. */
  evidence: z.array(z.string()),
});
export type RunState = z.infer<typeof RunState>;

/**
 * What the agent of a run is for. worker: it does what its task asks for. supervisory: it looks at the work of others and says
 * whether that is as it should be. manager: the same over all projects, for what they have in common.
 */
export const AgentKind = z.enum(["worker", "supervisory", "manager"]);
export type AgentKind = z.infer<typeof AgentKind>;

/** One attempt at one stage of one task, from claim to outcome. */
export const Run = z.object({
  id: RunId,
  taskId: TaskId,
  taskKey: z.string(),
  projectId: ProjectId,
  stage: z.string(),
  attempt: z.int().positive(),
  /** Which iteration of its stage's loop it is; 1 for a stage that is no loop. */
  iteration: z.int().positive(),
  epoch: z.int().positive(),
  /** The slot of the pool that carries it out, 1-based. */
  worker: z.int().positive(),
  agent: z.string(),
  kind: AgentKind,
  driver: z.string(),
  isolation: z.string(),
  progress: RunProgress,
  /** As of the last look at its facts; of an ended run, as it ended. Null: nothing was looked at yet. */
  state: RunState.nullable(),
  outcome: RunOutcome.nullable(),
  leaseExpiresAt: Timestamp,
  process: ProcessIdentity.nullable(),
  sessionId: z.string().nullable(),
  /** The session of an earlier run that this one continues; null: a fresh one. */
  resumesSessionId: z.string().nullable(),
  baseCommit: z.string().nullable(),
  /** What its agent waits with, oldest first; an agent may ask for several tools at once. */
  questions: z.array(Question),
  usage: Usage,
  /** Bytes of the agent's output that have become events; an adopting daemon stores only what comes behind. */
  outputOffset: z.int().nonnegative(),
  startedAt: Timestamp,
  finishedAt: Timestamp.nullable(),
  /** When the agent last showed a sign of progress. */
  progressAt: Timestamp,
});
export type Run = z.infer<typeof Run>;

/**
 * What an iteration of a loop left to those after it. change: what it changed. check: what the checks said. report: its
 * agent's last words. told: what somebody told it. rollback: a person went back to this iteration; what came after it no longer counts.
 */
export const LoopNote = z.object({
  iteration: z.int().nonnegative(),
  kind: z.enum(["change", "check", "report", "told", "rollback"]),
  text: z.string(),
  /** The same for results that are the same. */
  signature: z.string().nullable(),
  at: Timestamp,
});
export type LoopNote = z.infer<typeof LoopNote>;

/** A slot of the worker pool and what it does. */
export const Worker = z.object({
  number: z.int().positive(),
  status: z.enum(["idle", "running"]),
  runId: RunId.nullable(),
  taskKey: z.string().nullable(),
  agent: z.string().nullable(),
  /** Of the agent that it has now; null when idle. */
  kind: AgentKind.nullable(),
  progress: RunProgress.nullable(),
  state: RunState.nullable(),
  /** Age of its last heartbeat; null when idle. */
  heartbeatAgeMs: Duration.nullable(),
});
export type Worker = z.infer<typeof Worker>;
