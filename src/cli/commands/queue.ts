import { AppError } from "../../base/errors.ts";
import type { QueueStatus } from "../../contract/routes.ts";
import type { Cli } from "../cli.ts";
import { confirm } from "../confirm.ts";
import { plural } from "../../words/format.ts";
import { taskRow } from "../../words/describe-task.ts";
import { painted, show } from "../../words/shown.ts";

export async function status(cli: Cli): Promise<void> {
  const queue = await (await cli.connect()).getQueue({ signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(queue);
  cli.terminal.print(summary(queue));
  for (const { project, stage, message } of queue.held)
    cli.terminal.print(show`${painted("yellow", "Held up:")} ${project}, ${stage}. ${message}`);
  if (queue.next.length === 0) return;
  const now = cli.clock.now();
  const rows = queue.next.map(({ position, task }) => {
    const [key, state, , updated, , title] = taskRow(task, now);
    return [show`${position}`, key ?? show``, state ?? show``, show`${task.priority}`, updated ?? show``, title ?? show``];
  });
  await cli.terminal.printTable(["#", "TASK", "STATUS", "PRIORITY", "UPDATED", "TITLE"], rows);
}

export function pause(cli: Cli): Promise<void> {
  return change(cli, true);
}

export function resume(cli: Cli): Promise<void> {
  return change(cli, false);
}

/** Asks first. Where nobody can be asked, nothing is removed without --yes. */
export async function clear(cli: Cli): Promise<void> {
  const client = await cli.connect();
  const { queued } = await client.getQueue({ signal: cli.signal });
  if (!(await confirm(cli, `Cancel ${plural(queued, "queued task")}?`))) throw new AppError("cancelled", "Nothing was cancelled.");
  const result = await client.clearQueue({ body: { confirm: true }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(result);
  cli.terminal.print(show`Cancelled ${plural(result.cancelled, "task")}.`);
}

async function change(cli: Cli, paused: boolean): Promise<void> {
  const queue = await (await cli.connect()).changeQueue({ body: { paused }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(queue);
  cli.terminal.print(summary(queue));
}

function summary({ paused, queued, max, running, strategy }: QueueStatus) {
  return show`${paused ? painted("yellow", "Paused. ") : ""}${queued} queued of at most ${max}, ${running} running, ${strategy}.`;
}
