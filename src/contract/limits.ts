import { z } from "zod";
import { Duration } from "./ids.ts";
import { doc, milliseconds } from "./setting-meta.ts";

/** A name of ours for a pool or a rate. */
const LimitName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]*$/, "use a-z, 0-9 and -, beginning with a letter or digit")
  .max(60);

/** The pools that a stage or a task needs, by their names. */
export const PoolNames = z.array(LimitName).max(10);

/** How many runs may have a place in a pool at once. */
const PoolSize = z.int().min(1).max(1000).meta(doc("how many open runs may have a place in it at once"));

/** How often something may be done: `calls` in each period, evenly, and `burst` of them at once after a rest. */
const RatePolicy = z.strictObject({
  per: z.enum(["second", "minute", "hour", "day"]).meta(doc("the period")),
  calls: z.int().min(1).max(1_000_000).meta(doc("how many in a period")),
  burst: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1)
    .meta(doc("how many at once after a rest; so much more than `calls` may fall into a period")),
});
export type RatePolicy = z.infer<typeof RatePolicy>;

/** A rate that something is held to, by its name in `rates`. */
export const rateSetting = (what: string, more: Parameters<typeof doc>[1] = {}) =>
  LimitName.nullable()
    .default(null)
    .meta(doc(`which of \`rates\` ${what}; null: as often as it likes`, more));

/** What is limited of a workflow over all projects. */
const WorkflowLimits = z.strictObject({
  maxRunning: z.int().min(1).max(1000).nullable().default(null).meta(doc("runs of its tasks that may be open at once; null: any number")),
  rate: rateSetting("its runs are started at"),
});

/** How long somebody may wait before that is told. */
export const WaitLimits = z.strictObject({
  waitMaxMs: milliseconds(1000)
    .nullable()
    .default(86_400_000)
    .meta(doc("a task that could start and has waited longer for its turn is told of, with what it waits for; null: never, milliseconds")),
  onWaitMax: z
    .enum(["report", "fail"])
    .default("report")
    .meta(doc("what becomes of it then: it goes on waiting (report), or fails (fail)")),
  approvalMaxMs: milliseconds(1000)
    .nullable()
    .default(86_400_000)
    .meta(
      doc("a task that has waited longer for a person's approval is told of, where its stage says nothing else; null: never, milliseconds"),
    ),
  onApprovalMax: z
    .enum(["alert", "deny", "approve"])
    .default("alert")
    .meta(doc("what becomes of it then, where its stage says nothing else: it goes on waiting (alert), is denied, or approved")),
});

/** The sections of the configuration that hold limits by names. */
export const limitSections = {
  pools: z
    .record(LimitName, PoolSize)
    .default({})
    .meta(doc("What only so many runs may use at once, such as a test database: its name to their number", { scope: "global" })),
  rates: z
    .record(LimitName, RatePolicy)
    .default({})
    .meta(
      doc("How often something may be done, by names that `rate` of an agent, a workflow or `defaults` refers to", {
        scope: "global",
      }),
    ),
  workflows: z
    .record(LimitName, WorkflowLimits)
    .default({})
    .meta(doc("Limits on workflows, by their names", { scope: "global" })),
};

/**
 * How ready tasks were looked for since the daemon started. `changes`, `times`: looks because something changed, or something had a time that
 * came. `checks`: the safety net beside these, each `everyMs` and a tenth more or less; `skipped`: those that found nothing changed.
 */
export const QueueLooks = z.object({ changes: z.int(), times: z.int(), checks: z.int(), skipped: z.int(), everyMs: Duration });
