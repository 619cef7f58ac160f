import type { Worker } from "../../contract/run.ts";
import type { Cli } from "../cli.ts";
import { stateName } from "../../words/describe-state.ts";
import { inOneUnit } from "../../words/format.ts";
import { painted, show, type Shown } from "../../words/shown.ts";

export async function list(cli: Cli): Promise<void> {
  const workers = await (await cli.connect()).listWorkers({ signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(workers);
  await cli.terminal.printTable(["WORKER", "STATUS", "AGENT", "PROGRESS", "STATE", "HEARTBEAT", "TASK"], workers.items.map(row));
}

export async function stop(cli: Cli, worker: number): Promise<void> {
  const stopped = await (await cli.connect()).stopWorker({ params: { worker }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(stopped);
  cli.terminal.print(show`Worker ${worker} is being stopped. Its task ${stopped.taskKey ?? ""} is cancelled; its work is saved first.`);
}

function row({ number, status, agent, progress, state, heartbeatAgeMs, taskKey }: Worker): Shown[] {
  return [
    show`${number}`,
    status === "idle" ? painted("dim", status) : painted("cyan", status),
    show`${agent ?? "-"}`,
    show`${progress ?? "-"}`,
    stateName(state),
    show`${heartbeatAgeMs === null ? "-" : `${inOneUnit(heartbeatAgeMs)} ago`}`,
    show`${taskKey ?? "-"}`,
  ];
}
