import { appendEvent } from "./events.ts";
import type { Reader, Transaction } from "./database.ts";

/** Whether nothing new is to be started. It outlives the daemon. */
export function isPaused(reader: Reader): boolean {
  return reader.get("SELECT 1 FROM settings WHERE key = 'queue.paused'") !== undefined;
}

export function setPaused(tx: Transaction, paused: boolean, actor: string): void {
  if (isPaused(tx) === paused) return;
  if (paused) tx.run("INSERT INTO settings (key, value) VALUES ('queue.paused', 'true')");
  else tx.run("DELETE FROM settings WHERE key = 'queue.paused'");
  appendEvent(tx, { type: paused ? "queue.paused" : "queue.resumed", data: { by: actor } });
}
