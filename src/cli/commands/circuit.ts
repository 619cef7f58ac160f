import type { Account, Circuit, CircuitState } from "../../contract/circuit.ts";
import type { Cli } from "../cli.ts";
import { dateTime } from "../../words/format.ts";
import { painted, show, type Paint, type Shown } from "../../words/shown.ts";

const paints: Readonly<Record<CircuitState, Paint>> = { closed: "green", open: "red", half_open: "yellow" };

export async function list(cli: Cli): Promise<void> {
  const circuits = await (await cli.connect()).listCircuits({ signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(circuits);
  await cli.terminal.printTable(["CIRCUIT", "STATE", "FAILURES", "UNTIL", "LAST FAILURE"], circuits.items.map(circuitRow));
}

export async function reset(cli: Cli, circuit: string): Promise<void> {
  const closed = await (await cli.connect()).resetCircuit({ params: { circuit }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(closed);
  cli.terminal.print(show`Circuit ${closed.id} is closed.`);
}

export async function listAccounts(cli: Cli): Promise<void> {
  const accounts = await (await cli.connect()).listAccounts({ signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(accounts);
  await cli.terminal.printTable(["ACCOUNT", "AGENTS", "RUNNING", "STATE", "LAST REFUSAL"], accounts.items.map(accountRow));
}

export async function resetAccount(cli: Cli, account: string): Promise<void> {
  const fresh = await (await cli.connect()).resetAccount({ params: { account }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(fresh);
  cli.terminal.print(show`The limits of account ${fresh.key} are forgotten.`);
}

function circuitRow({ id, state, failures, openUntil, message }: Circuit): Shown[] {
  return [
    show`${id}`,
    painted(paints[state], state.replace("_", " ")),
    show`${failures}`,
    show`${openUntil === null ? "-" : dateTime(openUntil)}`,
    show`${message ?? "-"}`,
  ];
}

function accountRow({ key, agents, running, runningMax, limitedUntil, pausedUntil, message }: Account): Shown[] {
  const state =
    limitedUntil !== null
      ? painted("red", `usage limit until ${dateTime(limitedUntil)}`)
      : pausedUntil !== null
        ? painted("yellow", `paused until ${dateTime(pausedUntil)}`)
        : runningMax !== null
          ? painted("yellow", "slowed down")
          : painted("green", "serves");
  const max = runningMax === null ? "" : ` of ${runningMax}`;
  return [show`${key}`, show`${agents.join(", ") || "-"}`, show`${running}${max}`, state, show`${message ?? "-"}`];
}
