import type { Run, Worker } from "../../contract/run.ts";
import type { Circuit } from "../../contract/circuit.ts";
import type { Event } from "../../contract/event.ts";
import { inOneUnit, megabytes } from "../../words/format.ts";
import { useBeats, useClient, useNow, useQuery } from "../live/use-live.ts";
import { Link, taskAddress } from "../router.tsx";
import { Badge, CircuitBadge, StateBadge } from "../ui/badge.tsx";
import { Button } from "../ui/button.tsx";
import { Loaded, Page, Panel } from "../ui/page.tsx";
import { Table } from "../ui/table.tsx";
import { useDo } from "../ui/toasts.tsx";

interface Pool {
  readonly workers: readonly Worker[];
  readonly runs: ReadonlyMap<string, Run>;
  readonly circuits: ReadonlyMap<string, Circuit>;
  readonly memory: { readonly daemonBytes: number; readonly agentsBytes: number };
}

/** The workers with what they do now, and the agents that they do it with. */
export function WorkersPage() {
  const pool = useQuery<Pool>(
    "workers",
    async (client, signal) => {
      const [workers, runs, circuits, daemon] = await Promise.all([
        client.listWorkers({ signal }),
        client.listRuns({ query: { open: true, limit: 500 }, signal }),
        client.listCircuits({ signal }),
        client.getDaemon({ signal }),
      ]);
      return {
        workers: workers.items,
        runs: new Map(runs.items.map((run) => [run.id, run])),
        circuits: new Map(circuits.items.map((circuit) => [circuit.id, circuit])),
        memory: daemon.memory,
      };
    },
    changesWorkers,
  );
  return (
    <Page title="Workers">
      <Loaded answer={pool}>
        {(loaded) => (
          <>
            <p className="text-muted">
              {loaded.workers.filter(({ status }) => status === "running").length} of {loaded.workers.length} work. The daemon takes{" "}
              {megabytes(loaded.memory.daemonBytes)}, all agents {megabytes(loaded.memory.agentsBytes)}.
            </p>
            <ul className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3" aria-label="Workers">
              {loaded.workers.map((worker) => (
                <li key={worker.number}>
                  <WorkerCard
                    worker={worker}
                    run={loaded.runs.get(worker.runId ?? "")}
                    circuit={loaded.circuits.get(`worker:${worker.agent}`)}
                  />
                </li>
              ))}
            </ul>
          </>
        )}
      </Loaded>
      <Agents />
    </Page>
  );
}

function changesWorkers({ type }: Event): boolean {
  return /^run\.(?:started|adopted|progressed|state_changed|ended)|^circuit\.|^config\.changed/.test(type);
}

function WorkerCard({
  worker,
  run,
  circuit,
}: {
  readonly worker: Worker;
  readonly run: Run | undefined;
  readonly circuit: Circuit | undefined;
}) {
  const client = useClient();
  const attempt = useDo();
  return (
    <Panel
      title={`Worker ${worker.number}`}
      actions={
        worker.state === null ? (
          <Badge tone={worker.status === "idle" ? "muted" : "busy"}>{worker.progress ?? worker.status}</Badge>
        ) : (
          <StateBadge state={worker.state.state} />
        )
      }
    >
      {worker.taskKey === null ? (
        <p className="text-muted">Waits for work.</p>
      ) : (
        <div className="flex flex-col gap-2">
          <p>
            <Link href={taskAddress(worker.taskKey)} className="font-medium text-accent underline">
              {worker.taskKey}
            </Link>
            , {run?.stage} with {worker.agent}
          </p>
          <p className="text-muted">{worker.state?.evidence[0]}</p>
          <p className="flex flex-wrap items-center gap-3 text-muted">
            <Heartbeat worker={worker} run={run} />
            {circuit === undefined ? null : <CircuitBadge state={circuit.state} />}
          </p>
          <Button
            kind="bad"
            className="self-start"
            onClick={() =>
              void attempt(
                () => client.stopWorker({ params: { worker: worker.number } }),
                `${worker.taskKey} is cancelled; its work is saved.`,
              )
            }
          >
            Stop
          </Button>
        </div>
      )}
    </Panel>
  );
}

function Heartbeat({ worker, run }: { readonly worker: Worker; readonly run: Run | undefined }) {
  const now = useNow(1000);
  const beat = useBeats().get(worker.number);
  if (run === undefined) return null;
  const age = beat === undefined ? (worker.heartbeatAgeMs ?? 0) : Math.max(0, now - beat);
  return (
    <span>
      {inOneUnit(Math.max(0, now - run.startedAt))} at work, heartbeat {inOneUnit(age)} ago
    </span>
  );
}

function Agents() {
  const agents = useQuery("agents", (client, signal) => client.listAgents({ signal }), changesWorkers);
  return (
    <Loaded answer={agents}>
      {({ items }) => (
        <Table
          name="Agents"
          rows={items}
          keyOf={({ name }) => name}
          columns={[
            { name: "Agent", cell: ({ name }) => <span className="font-medium">{name}</span> },
            { name: "Driver", cell: ({ driver }) => driver },
            { name: "Version", cell: ({ version }) => version ?? "-" },
            { name: "Runs", isNumber: true, cell: ({ runs }) => runs.length },
            {
              name: "Usable",
              cell: ({ problem }) => (problem === null ? <Badge tone="good">ready</Badge> : <span className="text-bad">{problem}</span>),
            },
          ]}
        />
      )}
    </Loaded>
  );
}
