import type { Event } from "../../contract/event.ts";
import { dateTime } from "../../words/format.ts";
import { useBoard } from "../live/use-live.ts";
import { Link, taskAddress } from "../router.tsx";
import { Empty } from "../ui/page.tsx";
import { VirtualList } from "../ui/virtual-list.tsx";

/** Events, a line each. */
export function EventTable({ events }: { readonly events: readonly Event[] }) {
  const { cards } = useBoard();
  if (events.length === 0) return <Empty>Nothing has happened.</Empty>;
  return (
    <div
      className="flex h-[65vh] flex-col overflow-hidden rounded-lg border border-line bg-panel"
      tabIndex={0}
      role="region"
      aria-label="Events, scrollable"
    >
      <VirtualList name="Events" rows={events} rowHeight={34} keyOf={({ sequence }) => sequence}>
        {(event) => {
          const key = cards.get(event.taskId ?? "")?.key;
          return (
            <div className="flex h-full items-center gap-3 border-b border-line px-3 text-xs">
              <span className="shrink-0 text-muted tabular-nums">
                <span className="hidden sm:inline">{dateTime(event.at).slice(0, 11)}</span>
                {dateTime(event.at).slice(11)}
              </span>
              <span className="w-32 shrink-0 truncate font-medium sm:w-44">{event.type}</span>
              <span className="w-14 shrink-0 truncate sm:w-24">
                {key === undefined ? null : (
                  <Link href={taskAddress(key)} className="text-accent hover:underline">
                    {key}
                  </Link>
                )}
              </span>
              <span className="min-w-0 truncate text-muted" title={textOf(event)}>
                {textOf(event)}
              </span>
            </div>
          );
        }}
      </VirtualList>
    </div>
  );
}

/** What an event says, as its data has it. */
function textOf(event: Pick<Event, "data">): string {
  return Object.entries(event.data)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}
