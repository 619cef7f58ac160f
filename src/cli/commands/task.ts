import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import { AppError } from "../../base/errors.ts";
import type { Client } from "../../client/client.ts";
import type { Event } from "../../contract/event.ts";
import type { FiledTask } from "../../contract/routes.ts";
import type { ChosenDelivery, TaskStatus } from "../../contract/task.ts";
import type { Cli } from "../cli.ts";
import { projectName } from "../current-project.ts";
import { describeEvent } from "../../words/describe-event.ts";
import { describeTask, statusOf, taskColumns, taskRow } from "../../words/describe-task.ts";
import { Ended } from "../exit-codes.ts";
import { followTask } from "../follow-task.ts";
import { painted, show, Shown } from "../../words/shown.ts";

export interface AddOptions {
  readonly project?: string;
  readonly body?: string;
  readonly bodyFile?: string;
  readonly plan?: boolean;
  readonly workflow?: string;
  readonly set?: Readonly<Record<string, string>>;
  readonly priority?: number;
  readonly deadline?: number;
  readonly delivery?: ChosenDelivery;
  readonly after?: string[];
  readonly draft?: boolean;
  readonly key?: string;
  readonly wait?: boolean;
}

export async function add(cli: Cli, words: string[], options: AddOptions): Promise<void> {
  const client = await cli.connect();
  const { priority, deadline, delivery, draft = false, key } = options;
  const task = await client.createTask({
    body: {
      project: await projectName(cli, client, options.project),
      title: words.join(" "),
      body: await bodyOf(cli, options),
      mode: options.plan ? "plan" : "execute",
      parameters: options.set ?? {},
      ...(options.workflow !== undefined && { workflow: options.workflow }),
      dependsOn: options.after ?? [],
      draft,
      ...(priority !== undefined && { priority }),
      ...(deadline !== undefined && { deadlineAt: deadline }),
      ...(delivery !== undefined && { delivery }),
      ...(key !== undefined && { idempotencyKey: key }),
    },
    signal: cli.signal,
  });
  if (options.wait) return waitFor(cli, client, task);
  if (cli.isJson) return cli.terminal.printJson(task);
  cli.terminal.print(show`${filed(task)}.`);
  cli.terminal.note(show`Watch it with: drover task logs -f ${task.key}`);
}

export interface ListOptions {
  readonly project?: string;
  readonly status?: TaskStatus;
  readonly stage?: string;
  readonly recent?: boolean;
  readonly limit: number;
  readonly after?: string;
}

export async function list(cli: Cli, options: ListOptions): Promise<void> {
  const page = await (await cli.connect()).listTasks({ query: options, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(page);
  if (page.items.length === 0) return cli.terminal.print(show`No such tasks.`);
  const now = cli.clock.now();
  await cli.terminal.printTable(
    taskColumns,
    page.items.map((task) => taskRow(task, now)),
  );
  if (page.next !== null) cli.terminal.note(show`There are more: --after ${page.next}, or a larger --limit`);
}

export async function details(cli: Cli, task: string): Promise<void> {
  const client = await cli.connect();
  const { signal } = cli;
  const detail = await client.getTask({ params: { task }, signal });
  if (cli.isJson) return cli.terminal.printJson(detail);
  const needed = await Promise.all(detail.dependsOn.map((id) => client.getTask({ params: { task: id }, signal })));
  cli.terminal.print(...describeTask(detail, needed, cli.clock.now()));
}

export async function cancel(cli: Cli, task: string): Promise<void> {
  const cancelled = await (await cli.connect()).cancelTask({ params: { task }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(cancelled);
  // A running one ends in its own time, after its work was saved.
  cli.terminal.print(
    cancelled.status === "cancelled"
      ? show`${painted("bold", cancelled.key)} is cancelled.`
      : show`${painted("bold", cancelled.key)} is being ended; its work is saved first.`,
  );
}

export async function priority(cli: Cli, task: string, value: number): Promise<void> {
  const changed = await (await cli.connect()).changeTask({ params: { task }, body: { priority: value }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(changed);
  cli.terminal.print(show`${painted("bold", changed.key)} has priority ${changed.priority}.`);
}

export async function retry(cli: Cli, task: string): Promise<void> {
  const queued = await (await cli.connect()).retryTask({ params: { task }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(queued);
  cli.terminal.print(show`${painted("bold", queued.key)}: ${statusOf(queued)}.`);
}

export async function approve(cli: Cli, task: string): Promise<void> {
  const approved = await (await cli.connect()).approveTask({ params: { task }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(approved);
  cli.terminal.print(show`${painted("bold", approved.key)}: ${statusOf(approved)}.`);
}

export async function deny(cli: Cli, task: string, { message }: { message: string }): Promise<void> {
  const denied = await (await cli.connect()).denyTask({ params: { task }, body: { message }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(denied);
  cli.terminal.print(show`${painted("bold", denied.key)}: ${statusOf(denied)}.`);
}

export async function notes(cli: Cli, task: string, { stage }: { stage?: string }): Promise<void> {
  const { items } = await (await cli.connect()).listTaskNotes({ params: { task }, query: { stage }, signal: cli.signal });
  if (cli.isJson) {
    for (const note of items) cli.terminal.printJson(note, "line");
    return;
  }
  if (items.length === 0) return cli.terminal.print(show`There are no notes.`);
  for (const { iteration, kind, text: note } of items) {
    cli.terminal.print(show`${painted("bold", `Iteration ${iteration}, ${kind}`)}`, Shown.lines(note));
  }
}

export async function rollback(cli: Cli, task: string, { to }: { to: number }): Promise<void> {
  const back = await (await cli.connect()).rollBackTask({ params: { task }, body: { iteration: to }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(back);
  cli.terminal.print(
    show`${painted("bold", back.key)} is as it was after iteration ${to}. Go on from there with: drover task retry '${back.key}'`,
  );
}

export async function depend(cli: Cli, task: string, { on = [], nothing = false }: { on?: string[]; nothing?: boolean }): Promise<void> {
  if (nothing === on.length > 0) throw new AppError("invalid", "Say what it waits for by --on, or --nothing.");
  const changed = await (await cli.connect()).setDependencies({ params: { task }, body: { dependsOn: on }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(changed);
  cli.terminal.print(show`${painted("bold", changed.key)}: ${statusOf(changed)}, after ${on.join(", ") || "nothing"}.`);
}

export async function diff(cli: Cli, task: string, options: { checkpoint?: number }): Promise<void> {
  const patch = await (await cli.connect()).getTaskDiff({ params: { task }, query: options, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson({ patch });
  if (patch !== "") cli.terminal.print(...patch.trimEnd().split("\n").map(paintedPatchLine));
}

export async function restore(cli: Cli, task: string, folder: string, options: { checkpoint?: number }): Promise<void> {
  const restored = await (
    await cli.connect()
  ).restoreTask({ params: { task }, body: { to: resolve(cli.cwd, folder), ...options }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(restored);
  cli.terminal.print(show`The work of ${task} (${restored.commit.slice(0, 12)}) is in ${painted("cyan", restored.path)}.`);
}

export interface LogsOptions {
  readonly follow?: boolean;
  readonly output?: boolean;
  readonly raw?: boolean;
}

/** What happened with a task, or what its last run's agent prints. */
export async function logs(cli: Cli, named: string, options: LogsOptions): Promise<void> {
  const client = await cli.connect();
  const task = await client.getTask({ params: { task: named }, signal: cli.signal });
  const { follow = false, raw = false } = options;
  if (!options.output && !raw) return followTask(cli, client, task, follow, (event) => tell(cli, event));
  const run = task.runs.toSorted((one, other) => other.startedAt - one.startedAt)[0];
  if (run === undefined) throw new AppError("not_found", `${task.key} has not run yet.`);
  for await (const { text: line } of client.getRunOutput({ params: { run: run.id }, query: { follow, raw }, signal: cli.signal })) {
    if (cli.isJson) cli.terminal.printJson({ text: line }, "line");
    else cli.terminal.print(Shown.lines(line));
  }
}

/** Shows what happens until the task has ended or needs a person; the command fails unless it succeeded. */
async function waitFor(cli: Cli, client: Client, task: FiledTask): Promise<void> {
  if (!cli.isJson) cli.terminal.print(show`${filed(task)}. Ctrl-C stops watching, not the task.`);
  await followTask(cli, client, task, true, (event) => cli.isJson || tell(cli, event));
  const ended = await client.getTask({ params: { task: task.id }, signal: cli.signal });
  const pullRequest = ended.pullRequest === null ? "" : `  ${ended.pullRequest.url}`;
  if (cli.isJson) cli.terminal.printJson(ended);
  else cli.terminal.print(show`${painted("bold", ended.key)}: ${statusOf(ended)}${pullRequest}`);
  if (ended.status !== "succeeded") throw new Ended(1);
}

function filed(task: FiledTask): Shown {
  const key = painted("bold", task.key);
  return task.created ? show`Filed ${key}: ${statusOf(task)}` : show`${key} was filed with this key before: ${statusOf(task)}`;
}

function tell(cli: Cli, event: Event): void {
  if (cli.isJson) cli.terminal.printJson(event, "line");
  else cli.terminal.print(describeEvent(event));
}

async function bodyOf(cli: Cli, { body, bodyFile }: AddOptions): Promise<string> {
  if (bodyFile === undefined) return body ?? "";
  if (body !== undefined) throw new AppError("invalid", "Give the text by --body or by --body-file, not by both.");
  try {
    return bodyFile === "-" ? await text(process.stdin) : readFileSync(resolve(cli.cwd, bodyFile), "utf8");
  } catch (cause) {
    throw new AppError("invalid", `Cannot read ${bodyFile}.`, { cause });
  }
}

function paintedPatchLine(line: string): Shown {
  if (line.startsWith("+") && !line.startsWith("+++")) return Shown.lines(line, "green");
  if (line.startsWith("-") && !line.startsWith("---")) return Shown.lines(line, "red");
  return line.startsWith("@@") ? Shown.lines(line, "cyan") : Shown.lines(line);
}
