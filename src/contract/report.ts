import { z } from "zod";
import { ProjectId, ReportId, RunId, TaskId, Timestamp } from "./ids.ts";
import { ProjectName } from "./project.ts";
import { AgentKind } from "./run.ts";

/** What a report is about: one task, all that is done in a project, or all projects. */
export const ReportScope = z.enum(["task", "project", "system"]);
export type ReportScope = z.infer<typeof ReportScope>;

/** What its agent concludes. clear: nothing that anybody must see. issue: something is wrong, and people are alerted. */
export const ReportVerdict = z.enum(["clear", "issue"]);
export type ReportVerdict = z.infer<typeof ReportVerdict>;

/** Something that an agent found. All of it is a model's text: data. */
export const Finding = z.strictObject({
  title: z.string().trim().min(1).max(200),
  severity: z.enum(["note", "warning", "problem"]).default("warning"),
  detail: z.string().max(4000).default(""),
  /** Names the cause: what is found again under the same key, in whichever project, is the same alert. */
  key: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, "use a-z, 0-9 and -")
    .max(80)
    .nullable()
    .default(null),
});
export type Finding = z.infer<typeof Finding>;

/**
 * What its agent wants done to a task that is under way. share: its agent is told something, as data. stop: it is cancelled with
 * its work kept. The daemon decides whether that is done.
 */
export const ProposedAction = z.strictObject({
  action: z.enum(["share", "stop"]),
  /** Its key, `api#42`. */
  task: z.string().min(1).max(200),
  text: z.string().trim().min(1).max(2000),
});
export type ProposedAction = z.infer<typeof ProposedAction>;

/** What an agent writes at the end of a stage that yields a verdict. */
export const ReportContent = z.strictObject({
  verdict: ReportVerdict,
  summary: z.string().trim().min(1).max(4000),
  findings: z.array(Finding).max(50).default([]),
  actions: z.array(ProposedAction).max(10).default([]),
});
export type ReportContent = z.infer<typeof ReportContent>;

/** What became of a proposed action. */
export const ReportAction = ProposedAction.extend({
  done: z.boolean(),
  /** Why it was not; null: it was. */
  refusal: z.string().nullable(),
});
export type ReportAction = z.infer<typeof ReportAction>;

/** A report as it is kept: what a run concluded, and what followed. Never changed. */
export const Report = z.object({
  id: ReportId,
  at: Timestamp,
  scope: ReportScope,
  /** `api#42`, `api`, or `system`. */
  subject: z.string(),
  /** The task that it is about; null: it is about more than one. */
  taskId: TaskId.nullable(),
  /** Null: it is about all of them. */
  projectId: ProjectId.nullable(),
  project: ProjectName.nullable(),
  /** The task whose run wrote it. */
  byTaskId: TaskId,
  byTaskKey: z.string(),
  runId: RunId,
  stage: z.string(),
  kind: AgentKind,
  verdict: ReportVerdict,
  summary: z.string(),
  findings: z.array(Finding),
  actions: z.array(ReportAction),
});
export type Report = z.infer<typeof Report>;
