import type { Client } from "../client/client.ts";
import type { Event } from "../contract/event.ts";
import type { Task } from "../contract/task.ts";
import type { Cli } from "./cli.ts";
import { isAtRest, mayBeLast } from "./follow-task.ts";

/** What is worth a line while many tasks are at work: not each word of each agent. */
const TOLD: ReadonlySet<Event["type"]> = new Set([
  "task.created",
  "task.status_changed",
  "run.started",
  "run.ended",
  "effect.done",
  "effect.failed",
]);

/** Gives `tell` what happens from now on with a task and with all that it yields, with the key of the one it happens to, until it has ended or needs a person, and what follows outside is done. */
export async function followTree(
  cli: Cli,
  client: Client,
  task: Pick<Task, "id" | "projectId">,
  tell: (event: Event, key: string) => void,
): Promise<void> {
  const { signal } = cli;
  const { sequence } = await client.getDaemon({ signal });
  const keys = new Map<string | null, string>();
  const keyOf = async (id: string | null): Promise<string | undefined> => {
    if (id === null || keys.has(id)) return keys.get(id);
    const { items } = await client.getTaskTree({ params: { task: task.id }, signal });
    for (const { task: one } of items) keys.set(one.id, one.key);
    return keys.get(id);
  };
  if (await isAtRest(client, task, signal)) return;
  for await (const event of client.streamEvents({ query: { after: sequence, project: task.projectId }, signal })) {
    const key = TOLD.has(event.type) ? await keyOf(event.taskId) : undefined;
    if (key === undefined) continue;
    tell(event, key);
    if (event.taskId === task.id && mayBeLast(event) && (await isAtRest(client, task, signal))) return;
  }
}
