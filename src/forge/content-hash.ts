import { createHash } from "node:crypto";

/** SHA-256 (hex) of an issue's title and body. No two different pairs have the same one. */
export function contentHash(title: string, body: string): string {
  return createHash("sha256")
    .update(JSON.stringify([title, body]))
    .digest("hex");
}
