import type { Branch, BranchState } from "../../contract/branch.ts";
import type { Cli } from "../cli.ts";
import { painted, show, type Paint, type Shown } from "../../words/shown.ts";

const paints: Readonly<Record<BranchState, Paint>> = { open: "green", left: "yellow", merged: "dim", closed: "dim" };

export async function list(cli: Cli, { project }: { project?: string }): Promise<void> {
  const merges = await (await cli.connect()).listMerges({ query: project === undefined ? {} : { project }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(merges);
  const inQueue = merges.items.filter(({ place }) => place !== null);
  const rows = merges.items.map((branch) => row(branch, inQueue.indexOf(branch) + 1));
  await cli.terminal.printTable(["#", "TASK", "STATE", "BRANCH", "PULL REQUEST", "NOTE"], rows);
}

export async function add(cli: Cli, task: string): Promise<void> {
  const branch = await (await cli.connect()).addMerge({ params: { task }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(branch);
  cli.terminal.print(show`${branch.taskKey} is in the merge queue.`);
}

export async function remove(cli: Cli, task: string): Promise<void> {
  const branch = await (await cli.connect()).removeMerge({ params: { task }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(branch);
  cli.terminal.print(show`${branch.taskKey} is out of the merge queue.`);
}

function row({ taskKey, state, name, pullRequest, message }: Branch, position: number): Shown[] {
  return [
    show`${position === 0 ? "-" : position}`,
    show`${taskKey}`,
    painted(paints[state], state),
    show`${name}`,
    show`${pullRequest?.url ?? "-"}`,
    show`${message?.split("\n", 1)[0] ?? "-"}`,
  ];
}
