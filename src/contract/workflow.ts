import { z } from "zod";
import { CheckConfig } from "./config.ts";
import { GateKind } from "./gate.ts";
import { Timestamp } from "./ids.ts";
import { PoolNames } from "./limits.ts";
import { PassName } from "./prd.ts";
import { ProjectName } from "./project.ts";
import { AgentKind } from "./run.ts";

/** A name of a workflow, a stage or a parameter. */
export const WorkflowName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]*$/, "use a-z, 0-9 and -, beginning with a letter or digit")
  .max(60);

/** Repeating a stage with a fresh context, an iteration at a time, until its checks pass. */
const StageLoop = z.strictObject({
  iterations: z.int().min(1).max(1000).default(20).describe("iterations at most; then the task fails with its work kept"),
  unchanged: z.int().min(1).max(100).default(3).describe("iterations that may come to a result that was there before, in a row"),
  timeMs: z.int().min(1000).nullable().default(null).describe("time that all iterations together may take, milliseconds; null: no limit"),
});

/** What a stage may take, where that is less than what the project allows. */
const StageLimits = z.strictObject({
  timeoutMs: z.int().min(1000).optional().describe("a run without any sign of work for this long is ended, milliseconds"),
  runTimeoutMs: z.int().min(1000).optional().describe("a run is ended after this time, milliseconds"),
  attempts: z.int().min(1).max(20).optional().describe("attempts before the task fails; of a loop, at each iteration"),
});

/** One step of a workflow, carried out by runs until one succeeds. */
export const Stage = z.strictObject({
  name: WorkflowName,
  agent: WorkflowName.nullable().default(null).describe("which of `agents` does it; null: the project's"),
  model: z.string().min(1).nullable().default(null).describe("model name or alias; null: the agent's"),
  effort: z.enum(["low", "medium", "high"]).nullable().default(null).describe("how hard the model is to think; null: as the agent has it"),
  kind: AgentKind.default("worker").describe("what its agent is for: the work itself, or looking at that of others"),
  material: z
    .enum(["change", "task", "watched"])
    .nullable()
    .default(null)
    .describe(
      "files that are put before its agent: the change of a pull request or branch (parameters `pr`, `branch`); what is known of its own task; what is known of that which its task watches (parameters `scope`, `task`)",
    ),
  prompt: z.string().min(1).describe("the template of its prompt: the name of a file of `prompts/`, or the text itself"),
  followUp: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("the template for an attempt that goes on in the session of one whose checks failed; null: it begins anew"),
  tools: z.array(z.string().min(1)).max(50).nullable().default(null).describe("tools that the `builtin` agent may use; null: all of them"),
  checks: z
    .union([z.literal("project"), z.array(CheckConfig).max(50)])
    .default("project")
    .describe("what decides that it is done: the checks of the project, or these"),
  gate: GateKind.nullable()
    .default(null)
    .describe(
      "what its commit must show besides the checks: a failing test (red), that it passes (green) and still does (refactor, verify); null: nothing",
    ),
  checkFirst: z
    .boolean()
    .default(false)
    .describe("run the checks first: where they pass on what earlier stages or children did, no agent is needed"),
  cleanChecks: z
    .boolean()
    .default(false)
    .describe("run the checks in a clean checkout of the commit, where nothing helps that git does not hold"),
  limits: StageLimits.prefault({}).describe("what a run of it may take"),
  loop: StageLoop.nullable().default(null).describe("repeat it with a fresh context until its checks pass; null: once"),
  yields: z
    .enum(["commit", "report", "tasks", "verdict"])
    .describe(
      "a changed tree that passes the checks; the agent's last message; further tasks, which that message lists; or a verdict, which it gives with findings",
    ),
  pass: PassName.nullable()
    .default(null)
    .describe("which pass of a PRD's decomposition its last message gives, in a YAML block: checked, kept, and seen by later stages"),
  children: WorkflowName.nullable().default(null).describe("the workflow of the tasks that it yields"),
  needs: PoolNames.default([]).describe("pools of the configuration in which a run of it needs a place: `gpu`, `staging-db`"),
  approval: z
    .union([z.boolean(), z.literal("issue")])
    .default(false)
    .describe("a person approves its result before the next stage begins; `issue`: only when that is its verdict"),
  approvalMaxMs: z
    .int()
    .min(1000)
    .nullable()
    .default(null)
    .describe("how long the task waits for that before it is told, milliseconds; null: as limits.approvalMaxMs says"),
  onApprovalMax: z
    .enum(["alert", "deny", "approve"])
    .nullable()
    .default(null)
    .describe("what becomes of it then: it goes on waiting, is denied, or approved; null: as limits.onApprovalMax says"),
});
export type Stage = z.infer<typeof Stage>;

/** A value that the person who files a task may give, for the prompts. */
const WorkflowParameter = z.strictObject({
  description: z.string().max(500).default(""),
  default: z.string().max(10_000).nullable().default(null).describe("null: it must be given"),
  allowed: z.array(z.string()).max(100).nullable().default(null).describe("the values that it may have; null: any text"),
});

/** How a kind of task is done: its stages in order, with all that they need. */
export const Workflow = z.strictObject({
  name: WorkflowName,
  description: z.string().max(500).default(""),
  parameters: z.record(WorkflowName, WorkflowParameter).default({}),
  stages: z.array(Stage).min(1).max(30),
  /** The templates that its prompts include, by name. */
  partials: z.record(z.string(), z.string()).default({}),
});
export type Workflow = z.infer<typeof Workflow>;

/** A workflow as it was accepted. Its number counts up from 1 for its name and place; what a number stands for never changes. */
export const WorkflowVersion = z.object({
  /** Null: it holds for all projects. */
  project: ProjectName.nullable(),
  name: WorkflowName,
  version: z.int().positive(),
  /** The file that it was read from; null: it comes with Drover. */
  file: z.string().nullable(),
  workflow: Workflow,
  acceptedAt: Timestamp,
  /** Whether new tasks get it. */
  inForce: z.boolean(),
});
export type WorkflowVersion = z.infer<typeof WorkflowVersion>;
