import type { Circuit, CircuitLevel } from "../../contract/circuit.ts";
import { dateTime, plural } from "../../words/format.ts";
import { useClient, useQuery } from "../live/use-live.ts";
import { Badge, CircuitBadge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Empty, Loaded, Page, Panel } from "../ui/page.tsx";
import { Table } from "../ui/table.tsx";
import { useDo } from "../ui/toasts.tsx";

const levels: readonly { readonly level: CircuitLevel; readonly title: string }[] = [
  { level: "system", title: "The whole system" },
  { level: "worker", title: "Agents" },
  { level: "stage", title: "Stages" },
];

/** What stops starts after failures: the circuit breakers, and the limits of the providers' accounts. */
export function BreakersPage() {
  const circuits = useQuery(
    "circuits",
    (client, signal) => client.listCircuits({ signal }),
    ({ type }) => /^(?:circuit|config)\.|^run\.ended/.test(type),
  );
  return (
    <Page title="Breakers">
      <Loaded answer={circuits}>
        {({ items }) =>
          levels.map(({ level, title }) => {
            const own = items.filter((circuit) => circuit.level === level);
            return (
              <Panel key={level} title={title}>
                {own.length === 0 ? (
                  <Empty>None yet.</Empty>
                ) : (
                  <ul className="flex flex-col gap-3">
                    {own.map((circuit) => (
                      <CircuitRow key={circuit.id} circuit={circuit} onReset={circuits.refresh} />
                    ))}
                  </ul>
                )}
              </Panel>
            );
          })
        }
      </Loaded>
      <Accounts />
    </Page>
  );
}

function CircuitRow({ circuit, onReset }: { readonly circuit: Circuit; readonly onReset: () => void }) {
  const client = useClient();
  const attempt = useDo();
  const { id, state, failures, openUntil, message } = circuit;
  // One that is closed and only forgets its failures makes no event.
  const reset = async () => (await attempt(() => client.resetCircuit({ params: { circuit: id } }), `${id} is closed.`)) && onReset();
  return (
    <li className="flex flex-wrap items-center gap-3" data-circuit={id}>
      <CircuitBadge state={state} />
      <span className="font-medium">{id}</span>
      <span className="min-w-0 flex-1 text-muted">
        {failures === 0 ? "no failures" : `${plural(failures, "failure")} in a row`}
        {openUntil === null ? "" : `, a trial at ${dateTime(openUntil)}`}
        {message === null ? "" : `: ${message}`}
      </span>
      {state === "closed" && failures === 0 ? null : <Button onClick={() => void reset()}>Reset {id}</Button>}
    </li>
  );
}

function Accounts() {
  const client = useClient();
  const attempt = useDo();
  const accounts = useQuery(
    "accounts",
    (asked, signal) => asked.listAccounts({ signal }),
    ({ type }) => /^(?:account|config)\.|^run\.(?:started|ended)/.test(type),
  );
  return (
    <Loaded answer={accounts}>
      {({ items }) => (
        <Panel title="Accounts of providers">
          <Table
            name="Accounts"
            rows={items}
            keyOf={({ key }) => key}
            columns={[
              { name: "Account", cell: ({ key }) => <span className="font-medium">{key}</span> },
              { name: "Agents", cell: ({ agents }) => agents.join(", ") },
              {
                name: "Running",
                isNumber: true,
                cell: ({ running, runningMax }) => (runningMax === null ? running : `${running} of ${runningMax}`),
              },
              {
                name: "Limits",
                cell: ({ limitedUntil, pausedUntil, message }) => {
                  const until = limitedUntil ?? pausedUntil;
                  return until === null ? (
                    <Badge tone="good">free</Badge>
                  ) : (
                    `until ${dateTime(until)}${message === null ? "" : `: ${message}`}`
                  );
                },
              },
              {
                name: "Reset",
                cell: ({ key }) => (
                  <Button onClick={() => void attempt(() => client.resetAccount({ params: { account: key } }), `${key} starts again.`)}>
                    Reset {key}
                  </Button>
                ),
              },
            ]}
          />
        </Panel>
      )}
    </Loaded>
  );
}
