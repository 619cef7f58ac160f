import { z } from "zod";
import { ProjectName } from "./project.ts";
import { NoticeId, Timestamp } from "./ids.ts";

/** `raised` and `resolved` say what became of alerts; `test` that a person wants to see whether the channel works. */
export const NoticeChange = z.enum(["raised", "resolved", "test"]);
export type NoticeChange = z.infer<typeof NoticeChange>;

/**
 * What a channel is told in one message: alerts of one kind. A webhook gets this as JSON. It stays the same however often it
 * is sent; `id` tells a receiver that it has it already.
 */
export const NoticeContent = z.object({
  id: NoticeId,
  change: NoticeChange,
  /** Of its alerts: `task_failed`. */
  kind: z.string(),
  /** How many alerts it is about. */
  count: z.int().nonnegative(),
  /** The first of them. */
  alerts: z.array(
    z.object({
      id: z.string(),
      subject: z.string(),
      message: z.string(),
      project: ProjectName.nullable(),
      /** How often its cause had come up. */
      times: z.int().positive(),
      raisedAt: Timestamp,
    }),
  ),
  /** Further alerts, of any kind, that the channel is told of by this number only, to keep to its messages an hour. */
  heldBack: z.int().nonnegative(),
  at: Timestamp,
});
export type NoticeContent = z.infer<typeof NoticeContent>;

export const ChannelKind = z.enum(["slack", "telegram", "webhook", "desktop"]);
export type ChannelKind = z.infer<typeof ChannelKind>;

/** A configured channel and how it goes. */
export const ChannelStatus = z.object({
  name: z.string(),
  kind: ChannelKind,
  /** The kinds of alerts and the projects that it is for; empty: all. */
  kinds: z.array(z.string()),
  projects: z.array(ProjectName),
  /** Messages that wait to be sent. */
  pending: z.int().nonnegative(),
  lastSentAt: Timestamp.nullable(),
  /** Attempts that failed since one that did not, and why the last one did. */
  failures: z.int().nonnegative(),
  lastError: z.string().nullable(),
});
export type ChannelStatus = z.infer<typeof ChannelStatus>;
