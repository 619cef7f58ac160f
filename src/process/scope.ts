import { createHash } from "node:crypto";

/** How the things of one daemon are named, so that those of another on the same machine stay apart: `DROVER_SCOPE` and the like. */
export function scopeId(scope: string): string {
  return createHash("sha256").update(scope).digest("hex").slice(0, 16);
}
