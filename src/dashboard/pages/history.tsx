import { useState } from "react";
import type { AuditEntry, Event } from "../../contract/event.ts";
import { dateTime } from "../../words/format.ts";
import { useEvents, useQuery } from "../live/use-live.ts";
import { setParameter, useParameter } from "../router.tsx";
import { Button } from "../ui/button.tsx";
import { Input } from "../ui/field.tsx";
import { Empty, Loaded, Page } from "../ui/page.tsx";
import { Table } from "../ui/table.tsx";
import { Tabs } from "../ui/tabs.tsx";
import { EventTable } from "./event-table.tsx";
import { withNewer } from "./task-events.tsx";

/** What happened, and who did what: looked through, and taken along. */
export function HistoryPage() {
  const view = useParameter("view") || "Events";
  const words = useParameter("words");
  return (
    <Page
      title="History"
      actions={
        <div className="w-64">
          <Input
            label="Find"
            isQuiet
            type="search"
            placeholder="Find in what is shown"
            value={words}
            onChange={(event) => setParameter("words", event.target.value)}
          />
        </div>
      }
    >
      <Tabs
        chosen={view}
        onChoose={(name) => setParameter("view", name === "Events" ? "" : name)}
        tabs={[
          { name: "Events", show: () => <Events words={words} /> },
          { name: "Audit", show: () => <Audit words={words} /> },
        ]}
      />
    </Page>
  );
}

const never = () => false;

function Events({ words }: { readonly words: string }) {
  const live = useEvents();
  const stored = useQuery("events", (client, signal) => client.listEvents({ query: { last: true, limit: 500 }, signal }), never);
  return (
    <Loaded answer={stored}>
      {({ items }) => {
        const found = matching(withNewer<Event>(items, live), words);
        return (
          <>
            <Export name="events" rows={found} />
            <EventTable events={found} />
          </>
        );
      }}
    </Loaded>
  );
}

function Audit({ words }: { readonly words: string }) {
  const [limit, setLimit] = useState(200);
  const audit = useQuery(
    `audit ${limit}`,
    (client, signal) => client.listAudit({ query: { limit }, signal }),
    ({ type }) => !type.startsWith("run."),
  );
  return (
    <Loaded answer={audit}>
      {({ items, next }) => {
        const found = matching(items, words);
        if (found.length === 0) return <Empty>Nobody did anything of the kind.</Empty>;
        return (
          <div className="flex flex-col gap-3">
            <Export name="audit" rows={found} />
            <AuditTable entries={found} />
            {next === null || limit >= 500 ? null : (
              <Button className="self-center" onClick={() => setLimit(500)}>
                Show more
              </Button>
            )}
          </div>
        );
      }}
    </Loaded>
  );
}

function AuditTable({ entries }: { readonly entries: readonly AuditEntry[] }) {
  return (
    <Table
      name="Audit log"
      rows={entries}
      keyOf={({ sequence }) => sequence}
      columns={[
        { name: "When", cell: ({ at }) => <span className="whitespace-nowrap tabular-nums">{dateTime(at)}</span> },
        { name: "Who", cell: ({ actor }) => actor },
        { name: "What", cell: ({ action }) => <span className="font-medium whitespace-nowrap">{action}</span> },
        { name: "To what", cell: ({ subject }) => subject },
        {
          name: "With",
          cell: ({ detail }) => (
            <span className="break-all text-muted">{Object.keys(detail).length === 0 ? "" : JSON.stringify(detail)}</span>
          ),
        },
      ]}
    />
  );
}

function matching<Row>(rows: readonly Row[], words: string): Row[] {
  const wanted = words.toLowerCase().split(/\s+/u).filter(Boolean);
  return rows.filter((row) => {
    const text = JSON.stringify(row).toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}

/** What is shown as a file, a line of JSON each. */
function Export({ name, rows }: { readonly name: string; readonly rows: readonly unknown[] }) {
  const save = () => {
    const address = URL.createObjectURL(new Blob([rows.map((row) => `${JSON.stringify(row)}\n`).join("")], { type: "application/jsonl" }));
    const link = document.createElement("a");
    link.href = address;
    link.download = `drover-${name}.jsonl`;
    link.click();
    URL.revokeObjectURL(address);
  };
  return (
    <div className="mb-3 flex items-center gap-3">
      <p className="mr-auto text-muted" role="status">
        {rows.length} found
      </p>
      <Button onClick={save} disabled={rows.length === 0}>
        Export as JSON lines
      </Button>
    </div>
  );
}
