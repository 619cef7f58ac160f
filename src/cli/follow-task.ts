import type { Client } from "../client/client.ts";
import type { Event } from "../contract/event.ts";
import type { Task } from "../contract/task.ts";
import type { Cli } from "./cli.ts";

/**
 * Gives `tell` what happened with a task from its beginning, in order. With `follow` also what happens, until the task has
 * ended or needs a person, and what follows from that outside is done.
 */
export async function followTask(
  cli: Cli,
  client: Client,
  task: Pick<Task, "id">,
  follow: boolean,
  tell: (event: Event) => void,
): Promise<void> {
  const { signal } = cli;
  let sequence = await tellStored(client, task, 0, tell, signal);
  if (!follow) return;
  // Asked only now: what brings it to rest is among the events told, or comes behind them in the stream.
  if (!(await isAtRest(client, task, signal))) {
    for await (const event of client.streamEvents({ query: { after: sequence, task: task.id }, signal })) {
      tell(event);
      sequence = event.sequence;
      if (mayBeLast(event) && (await isAtRest(client, task, signal))) break;
    }
  }
  await tellStored(client, task, sequence, tell, signal);
}

async function tellStored(
  client: Client,
  task: Pick<Task, "id">,
  after: number,
  tell: (event: Event) => void,
  signal: AbortSignal,
): Promise<number> {
  let sequence = after;
  let next: string | null = String(after);
  while (next !== null) {
    const page: { items: Event[]; next: string | null } = await client.listEvents({
      query: { task: task.id, after: next, limit: 500 },
      signal,
    });
    for (const event of page.items) tell(event);
    sequence = page.items.at(-1)?.sequence ?? sequence;
    next = page.next;
  }
  return sequence;
}

export function mayBeLast({ type }: Event): boolean {
  return type === "task.status_changed" || type === "effect.done" || type === "effect.failed";
}

export async function isAtRest(client: Client, { id }: Pick<Task, "id">, signal: AbortSignal): Promise<boolean> {
  const { status, effects } = await client.getTask({ params: { task: id }, signal });
  if (status === "failed" || status === "cancelled" || status === "blocked" || status === "draft") return true;
  return status === "succeeded" && effects.every((effect) => effect.status !== "pending");
}
