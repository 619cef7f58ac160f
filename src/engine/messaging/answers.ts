import type { MessageId } from "../../contract/ids.ts";
import type { Message } from "../../contract/message.ts";
import { getMessage } from "../../store/messages.ts";
import type { EngineParts } from "../parts.ts";

/** A message as it is once its query is closed, or after `waitMs`. Of what is no open query, as it is now. Rejects with the signal's reason. */
export async function untilAnswered(
  { database, clock }: Pick<EngineParts, "database" | "clock">,
  id: MessageId,
  waitMs: number,
  signal: AbortSignal,
): Promise<Message> {
  const isSettled = () => {
    const { payload, closedAt } = getMessage(database.reader, id);
    return payload.kind !== "query" || closedAt !== null;
  };
  if (waitMs === 0 || isSettled()) return getMessage(database.reader, id);
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const cancelTimer = clock.setTimer(waitMs, resolve);
  const stopListening = database.onCommit((changed) => {
    if (changed.has("messages") && isSettled()) resolve();
  });
  try {
    await promise;
  } finally {
    stopListening();
    cancelTimer();
    signal.removeEventListener("abort", onAbort);
  }
  return getMessage(database.reader, id);
}
