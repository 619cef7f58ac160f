import { AppError } from "../../base/errors.ts";
import type { Client } from "../../client/client.ts";
import type { Report, ReportScope, ReportVerdict } from "../../contract/report.ts";
import type { Cli } from "../cli.ts";
import { projectName } from "../current-project.ts";
import { statusOf } from "../../words/describe-task.ts";
import { dateTime } from "../../words/format.ts";
import { painted, show, Shown } from "../../words/shown.ts";

interface SuperviseOptions {
  readonly project?: string;
  readonly message: string;
}

export async function superviseTask(cli: Cli, named: string, { message }: SuperviseOptions): Promise<void> {
  const client = await cli.connect();
  const task = await client.getTask({ params: { task: named }, signal: cli.signal });
  const parameters = { scope: "task", task: task.key };
  return file(cli, client, { project: task.project, title: `Supervise ${task.key}`, body: message, workflow: "supervise", parameters });
}

export async function superviseProject(cli: Cli, { project, message }: SuperviseOptions): Promise<void> {
  const client = await cli.connect();
  const name = await projectName(cli, client, project);
  const parameters = { scope: "project" };
  return file(cli, client, { project: name, title: `Supervise ${name}`, body: message, workflow: "supervise", parameters });
}

export async function superviseSystem(cli: Cli, { project, message, causes }: SuperviseOptions & { causes?: boolean }): Promise<void> {
  const client = await cli.connect();
  const name = await projectName(cli, client, project);
  const workflow = causes ? "manage" : "supervise";
  return file(cli, client, { project: name, title: "Look over all projects", body: message, workflow, parameters: { scope: "system" } });
}

export async function review(
  cli: Cli,
  pull: string | undefined,
  { project, branch, message }: SuperviseOptions & { branch?: string },
): Promise<void> {
  if ((pull === undefined) === (branch === undefined))
    throw new AppError("invalid", "Say what to review: the number of a pull request, or --branch.");
  const client = await cli.connect();
  const name = await projectName(cli, client, project);
  const title = branch === undefined ? `Review pull request ${pull}` : `Review branch ${branch}`;
  const parameters = branch === undefined ? { pr: pull ?? "" } : { branch };
  return file(cli, client, { project: name, title, body: message, workflow: "review", parameters });
}

export interface ListOptions {
  readonly scope?: ReportScope;
  readonly verdict?: ReportVerdict;
  readonly project?: string;
  readonly task?: string;
  readonly limit: number;
  readonly after?: string;
}

export async function list(cli: Cli, query: ListOptions): Promise<void> {
  const page = await (await cli.connect()).listReports({ query, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(page);
  if (page.items.length === 0) return cli.terminal.print(show`There are no such reports.`);
  const rows = page.items.map(({ id, at, subject, verdict, kind, summary }) => [
    painted("dim", dateTime(at)),
    painted("bold", subject),
    painted(verdict === "issue" ? "red" : "green", verdict),
    show`${kind}`,
    show`${summary}`,
    painted("dim", id),
  ]);
  await cli.terminal.printTable(["WHEN", "ABOUT", "VERDICT", "BY", "SUMMARY", "REPORT"], rows);
  if (page.next !== null) cli.terminal.note(show`There are more: --after ${page.next}, or a larger --limit`);
}

export async function details(cli: Cli, report: string): Promise<void> {
  const found = await (await cli.connect()).getReport({ params: { report }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(found);
  cli.terminal.print(...describe(found));
}

function describe({ subject, verdict, kind, byTaskKey, at, summary, findings, actions }: Report): Shown[] {
  return [
    show`${painted("bold", subject)}: ${painted(verdict === "issue" ? "red" : "green", verdict)}`,
    show`by the ${kind} agent of ${byTaskKey}, ${dateTime(at)}`,
    Shown.lines(summary),
    ...findings.flatMap(({ title, severity, detail, key }) => [
      show``,
      show`${painted("bold", severity)}  ${title}${key === null ? "" : ` (${key})`}`,
      ...(detail === "" ? [] : [Shown.lines(detail)]),
    ]),
    ...actions.flatMap(({ action, task, text, refusal }) => [
      show``,
      show`${painted("bold", action)} ${task}: ${refusal === null ? "done" : `refused. ${refusal}`}`,
      Shown.lines(text),
    ]),
  ];
}

interface Filing {
  readonly project: string;
  readonly title: string;
  readonly body: string;
  readonly workflow: string;
  readonly parameters: Readonly<Record<string, string>>;
}

async function file(cli: Cli, client: Client, { parameters, ...filing }: Filing): Promise<void> {
  const task = await client.createTask({ body: { ...filing, parameters: { ...parameters }, delivery: "comment" }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(task);
  cli.terminal.print(show`Filed ${painted("bold", task.key)}: ${statusOf(task)}.`);
  cli.terminal.note(show`Read what it comes to with: drover report list --task '${task.key}'`);
}
