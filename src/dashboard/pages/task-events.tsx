import type { TaskDetail } from "../../contract/routes.ts";
import { useEvents, useQuery } from "../live/use-live.ts";
import { EventTable } from "./event-table.tsx";
import { Loaded } from "../ui/page.tsx";

const never = () => false;

/** What happened with a task, tool calls and all; what happens now comes along. */
export function TaskEvents({ task }: { readonly task: TaskDetail }) {
  const stored = useQuery(
    `events ${task.key}`,
    (client, signal) => client.listEvents({ query: { task: task.key, last: true, limit: 500 }, signal }),
    never,
  );
  const live = useEvents().filter(({ taskId }) => taskId === task.id);
  return <Loaded answer={stored}>{({ items }) => <EventTable events={withNewer(items, live)} />}</Loaded>;
}

/** The newest first, each once. */
export function withNewer<Numbered extends { readonly sequence: number }>(
  stored: readonly Numbered[],
  live: readonly Numbered[],
): Numbered[] {
  const last = stored.at(-1)?.sequence ?? 0;
  return [...stored, ...live.filter(({ sequence }) => sequence > last)].toReversed();
}
