import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { toAppError } from "../base/errors.ts";
import { problemOf } from "./problem.ts";

/**
 * Sends each item as one server-sent event, numbered from 1, as fast as the client reads. The first `skip` are left out:
 * a client that comes back names the last one it has. Ends with an event `end`, or `problem` saying what went wrong, so
 * that a stream which just breaks off is known to be incomplete. Rejects with what the items failed with.
 */
export async function sendItems(items: AsyncIterable<unknown>, outgoing: ServerResponse, skip: number, signal: AbortSignal): Promise<void> {
  outgoing.write("retry: 1000\n\n");
  try {
    let number = 0;
    for await (const item of items) {
      number += 1;
      if (number > skip && !outgoing.write(`id: ${number}\ndata: ${JSON.stringify(item)}\n\n`)) await once(outgoing, "drain", { signal });
    }
    if (!signal.aborted) outgoing.write("event: end\ndata: {}\n\n");
  } catch (thrown) {
    // Once the client or the daemon has ended the stream, how the items took it is of no interest.
    if (signal.aborted) return;
    outgoing.write(`event: problem\ndata: ${JSON.stringify(problemOf(toAppError(thrown)))}\n\n`);
    throw thrown;
  } finally {
    outgoing.end();
  }
}
