import { spawn } from "node:child_process";
import { once } from "node:events";
import { AppError } from "../../base/errors.ts";
import type { Client } from "../../client/client.ts";
import type { AgentStatus } from "../../contract/agent.ts";
import type { Cli } from "../cli.ts";
import { stateName } from "../../words/describe-state.ts";
import { painted, show, Shown } from "../../words/shown.ts";

export async function list(cli: Cli): Promise<void> {
  const agents = await (await cli.connect()).listAgents({ signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(agents);
  await cli.terminal.printTable(["AGENT", "DRIVER", "FOUND", "VERSION", "LOGIN", "RUNS"], agents.items.map(row));
  const { items } = agents;
  for (const { name, problem } of items) if (problem !== null) cli.terminal.print(show`${painted("yellow", name)}: ${problem}`);
  for (const { name, runs } of items) {
    for (const { id, taskKey, stage, progress, state } of runs)
      cli.terminal.print(show`${name} on ${painted("bold", taskKey)} (${stage}, ${progress}, ${stateName(state)}): ${id}`);
  }
}

export async function tail(cli: Cli, named: string, options: { raw?: boolean }): Promise<void> {
  const client = await cli.connect();
  const run = await runOf(cli, client, named);
  const query = { follow: true, raw: options.raw ?? false };
  for await (const { text } of client.getRunOutput({ params: { run }, query, signal: cli.signal })) {
    if (cli.isJson) cli.terminal.printJson({ text }, "line");
    else cli.terminal.print(Shown.lines(text));
  }
}

export async function send(cli: Cli, named: string, words: string[]): Promise<void> {
  const client = await cli.connect();
  const run = await runOf(cli, client, named);
  const told = await client.sendToRun({ params: { run }, body: { text: words.join(" ") }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(told);
  cli.terminal.print(show`Told ${told.agent}, which works on ${painted("bold", told.taskKey)}.`);
}

export async function attach(cli: Cli, named: string, options: { readOnly?: boolean }): Promise<void> {
  const client = await cli.connect();
  const run = await runOf(cli, client, named);
  const found = await client.attachToRun({ params: { run }, query: { readOnly: options.readOnly ?? false }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(found);
  const [program = "", ...args] = found.command;
  if (!cli.terminal.isInteractive) return cli.terminal.print(show`${[program, ...args].map(quoted).join(" ")}`);
  // In a window of the person's own tmux it would refuse, and look for our server in another place.
  const { TMUX: _around, TMUX_TMPDIR: _place, ...env } = cli.env;
  const [exitCode] = (await once(spawn(program, args, { stdio: "inherit", env }), "exit")) as [number | null];
  if (exitCode !== 0) throw new AppError("unavailable", `${program} ended with exit code ${exitCode ?? "none"}.`);
}

/** A word for sh. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/u.test(word) && !word.startsWith("=") ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The run that is named, or the last one of a task. */
async function runOf(cli: Cli, client: Client, named: string): Promise<string> {
  if (named.startsWith("run_")) return named;
  const task = await client.getTask({ params: { task: named }, signal: cli.signal });
  const last = task.runs.toSorted((one, other) => other.startedAt - one.startedAt)[0];
  if (last === undefined) throw new AppError("not_found", `${task.key} has not run yet.`);
  return last.id;
}

function row({ name, driver, found, version, loggedIn, runs }: AgentStatus): Shown[] {
  const login = loggedIn === null ? show`?` : loggedIn ? painted("green", "yes") : painted("red", "no");
  return [
    painted("bold", name),
    show`${driver}`,
    found ? painted("green", "yes") : painted("red", "no"),
    show`${version ?? "-"}`,
    found ? login : show`-`,
    show`${runs.length}`,
  ];
}
