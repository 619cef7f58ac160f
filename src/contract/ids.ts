import { z } from "zod";

const id = <Prefix extends string>(prefix: Prefix) =>
  z.templateLiteral([`${prefix}_`, z.string().regex(/^[0-9a-f-]{36}$/)]).meta({ description: `${prefix}_ and a UUIDv7` });

export const ProjectId = id("project");
export type ProjectId = z.infer<typeof ProjectId>;

export const TaskId = id("task");
export type TaskId = z.infer<typeof TaskId>;

export const RunId = id("run");
export type RunId = z.infer<typeof RunId>;

export const EffectId = id("effect");
export type EffectId = z.infer<typeof EffectId>;

export const NoticeId = id("notice");
export type NoticeId = z.infer<typeof NoticeId>;

export const MessageId = id("message");
export type MessageId = z.infer<typeof MessageId>;

export const ReportId = id("report");
export type ReportId = z.infer<typeof ReportId>;

/** Epoch milliseconds. */
export const Timestamp = z.int().nonnegative();
/** Milliseconds. */
export const Duration = z.int().nonnegative();
