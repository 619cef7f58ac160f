import { join, resolve } from "node:path";
import { stringify } from "yaml";
import { AppError } from "../../base/errors.ts";
import type { WorkflowVersion } from "../../contract/workflow.ts";
import { resolveWorkflows } from "../../workflow/resolve.ts";
import { builtinFolder, readWorkflowFolder, type WorkflowFolder } from "../../workflow/sources.ts";
import type { Cli } from "../cli.ts";
import { dateTime } from "../../words/format.ts";
import { repositoryRoot } from "../repository-root.ts";
import { painted, show, Shown } from "../../words/shown.ts";

export interface ProjectOption {
  readonly project?: string;
}

export async function list(cli: Cli, { project }: ProjectOption): Promise<void> {
  const workflows = await (await cli.connect()).listWorkflows({ query: { project }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(workflows);
  await cli.terminal.printTable(
    ["WORKFLOW", "VERSION", "STAGES", "FROM", "DESCRIPTION"],
    workflows.items.map((one) => [
      show`${painted("bold", one.name)}`,
      show`${one.version}`,
      show`${stagesOf(one)}`,
      show`${placeOf(one)}`,
      show`${one.workflow.description || "-"}`,
    ]),
  );
}

export async function showOne(
  cli: Cli,
  name: string,
  { project, resolved = false }: ProjectOption & { resolved?: boolean },
): Promise<void> {
  const found = await (await cli.connect()).getWorkflow({ params: { workflow: name }, query: { project }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(resolved ? found.workflow : found);
  if (resolved) return cli.terminal.print(Shown.lines(stringify(found.workflow).trimEnd()));
  cli.terminal.print(show`${painted("bold", found.name)}  version ${found.version}, ${placeOf(found)}`);
  for (const { name: stage, yields, loop, agent, approval } of found.workflow.stages) {
    const more = [agent && `by ${agent}`, loop && `a loop of ${loop.iterations} iterations at most`, approval && "then a person approves"];
    cli.terminal.print(
      show`  ${stage}  yields ${yields}${more
        .filter(Boolean)
        .map((one) => `, ${String(one)}`)
        .join("")}`,
    );
  }
  await cli.terminal.printTable(
    ["VERSION", "IN FORCE", "ACCEPTED", "FROM"],
    found.versions.map((one) => [
      show`${one.version}`,
      show`${one.inForce ? "yes" : "-"}`,
      show`${dateTime(one.acceptedAt)}`,
      show`${placeOf(one)}`,
    ]),
  );
}

/** Reads the files as the daemon would. Throws `invalid` with everything that is wrong. */
export async function validate(cli: Cli, folder: string | undefined): Promise<void> {
  const folders = [
    readWorkflowFolder(builtinFolder),
    ...(folder === undefined ? ownFolders(cli) : [readWorkflowFolder(resolve(cli.cwd, folder))]),
  ];
  const resolved = resolveWorkflows(folders).filter((one) => one.folder > 0);
  const errors = [...folders.flatMap(({ problems }) => problems), ...resolved].flatMap(({ error }) => (error ? [error] : []));
  if (errors.length > 0)
    throw new AppError("invalid", errors.map(({ message }) => message).join("\n"), {
      issues: errors.flatMap(({ details }) => details["issues"] ?? []),
    });
  const workflows = resolved.map(({ source: { name, file } }) => ({ name, file }));
  if (cli.isJson) return cli.terminal.printJson({ workflows });
  if (workflows.length === 0)
    return cli.terminal.print(
      show`There are no workflow files in ${folders
        .slice(1)
        .map((one) => one.folder)
        .join(" or ")}.`,
    );
  for (const { name, file } of workflows) cli.terminal.print(show`${painted("green", "ok")}  ${name}  ${file}`);
}

export async function render(cli: Cli, name: string, stage: string | undefined, { project }: ProjectOption): Promise<void> {
  const prompt = await (await cli.connect()).renderWorkflow({ params: { workflow: name }, query: { project, stage }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson({ prompt });
  cli.terminal.print(Shown.lines(prompt.trimEnd()));
}

export async function rollback(cli: Cli, name: string, { project, to }: ProjectOption & { to?: number }): Promise<void> {
  const client = await cli.connect();
  const now = await client.rollBackWorkflow({ params: { workflow: name }, body: { project, version: to }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(now);
  cli.terminal.print(
    show`New tasks get version ${now.version} of ${painted("bold", now.name)}. Tasks in flight end on the version that they began with.`,
  );
}

/** The home's, and those of the project around the current folder. */
function ownFolders(cli: Cli): WorkflowFolder[] {
  const home = readWorkflowFolder(join(cli.paths.home, "workflows"));
  try {
    const root = repositoryRoot(cli.cwd);
    return [home, readWorkflowFolder(join(root, ".drover", "workflows"), join(root, "WORKFLOW.md"))];
  } catch {
    return [home]; // The current folder is in no repository, so there is no project to look at.
  }
}

function stagesOf({ workflow }: WorkflowVersion): string {
  return workflow.stages.map(({ name, loop }) => (loop ? `${name} (loop)` : name)).join(" → ");
}

function placeOf({ file, project }: Pick<WorkflowVersion, "file" | "project">): string {
  if (file === null) return "Drover";
  return project === null ? file : `${project}: ${file}`;
}
