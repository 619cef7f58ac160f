import { createHmac } from "node:crypto";

/**
 * What an agent shows to speak for its run: good for that run and claim alone. Made of the daemon's own token, so every
 * later daemon of the home knows it too, and it tells nothing of that token.
 */
export function runToken(secret: string, run: { readonly id: string; readonly epoch: number }): string {
  return createHmac("sha256", secret).update(`run ${run.id} ${run.epoch}`).digest("base64url");
}
