/**
 * The thread in which a search goes on, so that a pattern that never ends can be ended with it. It is given a SearchRequest,
 * and posts SearchMessages.
 */
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../../base/errors.ts";
import { findMatches, type SearchRequest } from "./find-matches.ts";
import { isRefusal } from "./refusal.ts";

export type SearchMessage =
  | { readonly type: "found"; readonly line: string }
  | { readonly type: "done" }
  | { readonly type: "failed"; readonly message: string; readonly refused: boolean };

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- That is for windows of a browser.
const post = (message: SearchMessage) => parentPort?.postMessage(message);

try {
  for await (const line of findMatches(workerData as SearchRequest)) post({ type: "found", line });
  post({ type: "done" });
} catch (failure) {
  post({ type: "failed", message: messageOf(failure), refused: isRefusal(failure) });
}
