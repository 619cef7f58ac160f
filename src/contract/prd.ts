import { z } from "zod";
import { Timestamp } from "./ids.ts";
import { Task } from "./task.ts";

/** What a PRD may be at most, in characters. */
export const PRD_MAX = 200_000;

const Line = z.string().trim().min(1, "write something").max(500);
const Prose = z.string().trim().max(20_000);

/** A name that a PRD gives to a requirement, or a decomposition to a task: `R1`, `LOGIN-2`. */
const PrdId = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9-]*$/, "use a letter, then letters, digits and -")
  .max(30);

/** One thing that is wanted, and how one sees that it is there. */
const PrdRequirement = z.strictObject({
  id: PrdId,
  title: Line,
  description: Prose.default(""),
  /** How one sees that it is met, a sentence each. */
  acceptance: z.array(Line).max(50).default([]),
  /** Requirements that have to be met before. */
  after: z.array(PrdId).max(50).default([]),
});
export type PrdRequirement = z.infer<typeof PrdRequirement>;

const PrdFeature = z.strictObject({
  name: Line,
  description: Prose.default(""),
  requirements: z.array(PrdRequirement).min(1, "name at least one requirement").max(500),
});

/** A product requirements document, whichever form it was written in. */
export const Prd = z.strictObject({
  title: Line,
  summary: Prose.default(""),
  /** What holds for all of it. */
  constraints: z.array(Line).max(50).default([]),
  outOfScope: z.array(Line).max(50).default([]),
  features: z.array(PrdFeature).min(1, "name at least one feature").max(100),
});
export type Prd = z.infer<typeof Prd>;

export const PrdFormat = z.enum(["md", "yaml", "json"]);
export type PrdFormat = z.infer<typeof PrdFormat>;

/** The passes of a decomposition, in their order. */
export const PassName = z.enum(["phases", "tasks", "acceptance", "order"]);
export type PassName = z.infer<typeof PassName>;

/** Requirements that are built before those of the phases behind it. */
const PrdPhase = z.strictObject({
  name: Line,
  goal: Prose.default(""),
  requirements: z.array(PrdId).min(1).max(500),
});
export type PrdPhase = z.infer<typeof PrdPhase>;

const PlannedTask = z.strictObject({
  id: PrdId,
  title: Line,
  body: Prose.default(""),
  /** The name of its phase. */
  phase: Line,
  /** The requirements that it serves. */
  requirements: z.array(PrdId).min(1).max(50),
  /** The tasks whose result it needs. */
  after: z.array(PrdId).max(50).default([]),
});
export type PlannedTask = z.infer<typeof PlannedTask>;

/** Whether there are enough of them, and whether a test could see them, is for the rules to say (`domain/decomposition.ts`). */
const Acceptance = z.array(Line).max(50);

/** A task with the tests that show that it is done: what is filed, in this order, each behind those that it needs. */
const TestedTask = PlannedTask.extend({ acceptance: Acceptance });
export type TestedTask = z.infer<typeof TestedTask>;

const TASKS_MAX = 500;

/** What each pass comes to. */
export const passResults = {
  phases: z.strictObject({ phases: z.array(PrdPhase).min(1).max(100) }),
  tasks: z.strictObject({ tasks: z.array(PlannedTask).min(1).max(TASKS_MAX) }),
  acceptance: z.strictObject({ tests: z.array(z.strictObject({ task: PrdId, acceptance: Acceptance })).max(TASKS_MAX) }),
  order: z.strictObject({ tasks: z.array(TestedTask).min(1).max(TASKS_MAX) }),
} as const satisfies Record<PassName, z.ZodType>;
export type PassResults = { readonly [Name in PassName]: z.infer<(typeof passResults)[Name]> };
export type PassResult = PassResults[PassName];

const AnyPassResult = z.union([passResults.phases, passResults.tasks, passResults.acceptance, passResults.order]);

/** One pass as it was recorded, or as a preview has it. */
export const Pass = z.object({
  pass: PassName,
  /** Who gave it: `structure`, the PRD as it is written; `agent`; a person, by name. Null: it has not been done. */
  by: z.string().nullable(),
  at: Timestamp.nullable(),
  /** Of what a run gave, why it was sent back, the oldest first; of a preview, what has to be mended yet. */
  findings: z.array(z.string()),
  result: AnyPassResult.nullable(),
});
export type Pass = z.infer<typeof Pass>;

/** From the least to the most. */
const Range = z.object({ low: z.number().nonnegative(), high: z.number().nonnegative() });

/** What a PRD may take. */
export const PrdEstimate = z.object({
  tasks: z.int().nonnegative(),
  /** How many of them are worked on at once. */
  workers: z.int().positive(),
  costUsd: Range,
  durationMs: Range,
  /** `runs`: from so many finished tasks of the kind; `default`: nothing is known yet. */
  basis: z.object({ kind: z.enum(["runs", "default"]), tasks: z.int().nonnegative() }),
});
export type PrdEstimate = z.infer<typeof PrdEstimate>;

/** A PRD as it was understood, and what would become of it. */
export const PrdPreview = z.object({
  prd: Prd,
  passes: z.array(Pass),
  /** The tasks that can be worked on at the same time, one wave after the other, by id. */
  waves: z.array(z.array(PrdId)),
  estimate: PrdEstimate,
});
export type PrdPreview = z.infer<typeof PrdPreview>;

/** A PRD that is being built. */
export const PrdStatus = z.object({
  task: Task,
  prd: Prd,
  passes: z.array(Pass),
  waves: z.array(z.array(PrdId)),
});
export type PrdStatus = z.infer<typeof PrdStatus>;
