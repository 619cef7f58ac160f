import { createHash } from "node:crypto";
import { z } from "zod";
import type { ForgeProject } from "../forge.ts";

const PollCursor = z.object({
  /** Hash of the settings that decide what a poll asks for and who may start work. */
  scope: z.string(),
  /** Issues updated at or after this time are asked for, epoch milliseconds by GitHub's clock. */
  since: z.int(),
  /** Of the first page of the answer to exactly this question; null: it was not asked yet. */
  etag: z.string().nullable(),
  /** When all open labelled issues were last listed, by our clock. */
  listedAt: z.int(),
});
export type PollCursor = z.infer<typeof PollCursor>;

export function sealCursor(cursor: PollCursor): string {
  return JSON.stringify(cursor);
}

/** Null when there is none, or when the settings have changed since, so that everything must be looked at anew. */
export function openCursor(text: string | null, scope: string): PollCursor | null {
  if (text === null) return null;
  const parsed = PollCursor.safeParse(parseJson(text));
  return parsed.success && parsed.data.scope === scope ? parsed.data : null;
}

export function scopeOf({ project, config }: ForgeProject): string {
  const { apiUrl, authors, labellers } = config.github;
  const settings = [project.repository, apiUrl, authors, labellers, config.intake.labels];
  return createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 16);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a cursor of another forge or an older version: the same as none
  }
}
