import { resolve } from "node:path";
import type { ProjectStatus } from "../../contract/routes.ts";
import type { Cli } from "../cli.ts";
import { everyProject, projectName } from "../current-project.ts";
import { ago } from "../../words/format.ts";
import { painted, show, Shown } from "../../words/shown.ts";

export interface RegisterOptions {
  readonly name?: string;
  readonly priority?: number;
  readonly weight?: number;
}

export async function register(cli: Cli, path: string | undefined, options: RegisterOptions): Promise<void> {
  const client = await cli.connect();
  const project = await client.registerProject({ body: { path: resolve(cli.cwd, path ?? "."), ...options }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(project);
  cli.terminal.print(show`Registered ${painted("bold", project.name)} (${project.path}).`);
  if (project.credentials === "missing")
    cli.terminal.note(show`It has no token yet. Set the variable that github.tokenVariable names, and restart the daemon.`);
  cli.terminal.note(
    show`Issues with a label of the setting intake.labels become tasks. Or file one: drover task add --project ${project.name} "what to do"`,
  );
}

export async function unregister(cli: Cli, named: string | undefined): Promise<void> {
  const client = await cli.connect();
  const project = await client.unregisterProject({ params: { project: await projectName(cli, client, named) }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(project);
  cli.terminal.print(show`Forgot ${painted("bold", project.name)}. Its open tasks are cancelled; saved work stays.`);
}

export async function list(cli: Cli): Promise<void> {
  const projects = await everyProject(cli, await cli.connect());
  if (cli.isJson) return cli.terminal.printJson({ items: projects, next: null });
  if (projects.length === 0) return cli.terminal.print(show`No projects. Register one: drover project register PATH`);
  const now = cli.clock.now();
  await cli.terminal.printTable(
    ["PROJECT", "STATE", "PRIORITY", "WEIGHT", "QUEUED", "RUNNING", "POLLED", "PATH"],
    projects.map((project) => row(project, now)),
  );
}

export async function status(cli: Cli, named: string | undefined): Promise<void> {
  const client = await cli.connect();
  const project = await client.getProject({ params: { project: await projectName(cli, client, named) }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(project);
  cli.terminal.print(...describe(project, cli.clock.now()));
}

export function setPriority(cli: Cli, priority: number, named: string | undefined): Promise<void> {
  return change(cli, named, { priority });
}

export function setWeight(cli: Cli, weight: number, named: string | undefined): Promise<void> {
  return change(cli, named, { weight });
}

export function enable(cli: Cli, named: string | undefined): Promise<void> {
  return change(cli, named, { enabled: true });
}

export function disable(cli: Cli, named: string | undefined): Promise<void> {
  return change(cli, named, { enabled: false });
}

export async function poll(cli: Cli, named: string | undefined): Promise<void> {
  const client = await cli.connect();
  const { signal } = cli;
  const project = await projectName(cli, client, named);
  const { sequence } = await client.getDaemon({ signal });
  const result = await client.pollProject({ params: { project }, signal });
  if (cli.isJson) return cli.terminal.printJson(result);
  cli.terminal.print(show`${result.created} new, ${result.ignored} ignored, ${result.cancelled} cancelled.`);
  if (result.ignored === 0) return;
  const { items } = await client.listEvents({ query: { project, after: String(sequence), limit: 500 }, signal });
  for (const event of items) {
    if (event.type === "issue.ignored") cli.terminal.note(show`Ignored #${event.data.issue}: ${event.data.reason}`);
  }
}

async function change(cli: Cli, named: string | undefined, body: { priority?: number; weight?: number; enabled?: boolean }): Promise<void> {
  const client = await cli.connect();
  const project = await client.changeProject({ params: { project: await projectName(cli, client, named) }, body, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(project);
  cli.terminal.print(show`${painted("bold", project.name)}: ${stateOf(project)}, priority ${project.priority}, weight ${project.weight}.`);
}

function row(project: ProjectStatus, now: number): Shown[] {
  const { name, priority, weight, counts, path } = project;
  return [
    painted("bold", name),
    stateOf(project),
    show`${priority}`,
    show`${weight}`,
    show`${counts.queued}`,
    show`${counts.running}`,
    polled(project, now),
    show`${path}`,
  ];
}

function describe(project: ProjectStatus, now: number): Shown[] {
  const { counts } = project;
  return [
    show`${painted("bold", project.name)} ${stateOf(project)}, priority ${project.priority}, weight ${project.weight}`,
    show`Path         ${project.path}`,
    show`Forge        ${project.forge}${project.repository === null ? "" : `, ${project.repository}`}, base ${project.baseBranch}`,
    show`Credentials  ${project.credentials === "missing" ? painted("red", "missing") : project.credentials.replace("_", " ")}`,
    show`Last poll    ${polled(project, now)}`,
    show`Queue        ${counts.queued} queued, ${counts.running} running, ${counts.waiting} waiting, ${counts.blocked} blocked`,
    show`Ended        ${counts.succeeded} succeeded, ${counts.failed} failed, ${counts.cancelled} cancelled`,
    show`Last error   ${project.lastError === null ? "none" : painted("red", project.lastError)}`,
    ...(project.configError === null ? [] : [Shown.lines(project.configError, "yellow")]),
  ];
}

function stateOf({ enabled, lastError, configError }: ProjectStatus): Shown {
  if (!enabled) return painted("dim", "disabled");
  return lastError === null && configError === null ? painted("green", "enabled") : painted("yellow", "enabled, with an error");
}

function polled({ polledAt }: ProjectStatus, now: number): Shown {
  return polledAt === null ? painted("dim", "never") : show`${ago(polledAt, now)}`;
}
