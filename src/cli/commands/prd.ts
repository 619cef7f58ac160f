import { readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { AppError } from "../../base/errors.ts";
import { readConfigText } from "../../config/file.ts";
import { parseYamlValue } from "../../config/yaml-text.ts";
import type { Pass, PassName, PrdEstimate, PrdFormat } from "../../contract/prd.ts";
import type { TaskDetail } from "../../contract/routes.ts";
import { prdTemplates } from "../../prd/template.ts";
import type { Cli } from "../cli.ts";
import { describeEvent } from "../../words/describe-event.ts";
import { statusOf } from "../../words/describe-task.ts";
import { Ended } from "../exit-codes.ts";
import { followTree } from "../follow-tree.ts";
import { targetProject } from "../target-project.ts";
import { painted, show, Shown } from "../../words/shown.ts";

export { approve } from "./task.ts";

export function template(cli: Cli, { format }: { format: PrdFormat }): void {
  cli.terminal.print(Shown.lines(prdTemplates[format].trimEnd()));
}

export async function ingest(cli: Cli, file: string, { project }: { project?: string }): Promise<void> {
  const sent = { ...readPrdFile(cli, file), ...(project !== undefined && { project }) };
  const preview = await (await cli.connect()).previewPrd({ body: sent, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(preview);
  const { prd, passes, waves, estimate } = preview;
  const requirements = prd.features.flatMap((feature) => feature.requirements).length;
  cli.terminal.print(show`${painted("bold", prd.title)}: ${prd.features.length} features, ${requirements} requirements.`);
  cli.terminal.print(...passes.flatMap(describePass), ...describeWaves(waves), describeEstimate(estimate));
  cli.terminal.note(show`Nothing was kept. Have it built with: drover prd run ${file}`);
}

export interface RunOptions {
  readonly target?: string;
  readonly pr?: boolean;
  readonly approve?: boolean;
  readonly workflow?: string;
  readonly priority?: number;
  readonly wait: boolean;
}

export async function run(cli: Cli, file: string, options: RunOptions): Promise<void> {
  const sent = readPrdFile(cli, file);
  const client = await cli.connect();
  const project = await targetProject(cli, client, options.target ?? ".");
  const task = await client.runPrd({
    body: {
      ...sent,
      project,
      delivery: options.pr ? "pull_request" : "branch",
      workflow: options.workflow ?? (options.approve ? "prd-approved" : "prd"),
      ...(options.priority !== undefined && { priority: options.priority }),
    },
    signal: cli.signal,
  });
  const said = task.created ? "Filed" : "Going on with";
  if (!options.wait) {
    if (cli.isJson) return cli.terminal.printJson(task);
    return cli.terminal.print(show`${said} ${painted("bold", task.key)}: ${statusOf(task)}.`);
  }
  if (!cli.isJson) cli.terminal.print(show`${said} ${painted("bold", task.key)}. Ctrl-C stops watching, not the work.`);
  await followTree(cli, client, task, (event, key) => cli.isJson || cli.terminal.print(describeEvent(event, key)));
  tellEnd(cli, await client.getTask({ params: { task: task.id }, signal: cli.signal }));
}

/** The last line is the address of the pull request. The command fails where there is none to come. */
function tellEnd(cli: Cli, task: TaskDetail): void {
  if (cli.isJson) cli.terminal.printJson(task);
  else {
    cli.terminal.print(show`${painted("bold", task.key)}: ${statusOf(task)}`);
    if (task.message !== null) cli.terminal.print(show`${task.message}`);
    if (task.reason === "approval")
      cli.terminal.note(show`Look at it and go on: drover prd show '${task.key}', drover prd approve '${task.key}'`);
    else if (task.status !== "succeeded")
      cli.terminal.note(show`What failed can be tried again with drover task retry; then the same command goes on.`);
    if (task.pullRequest !== null) cli.terminal.print(show`${task.pullRequest.url}`);
  }
  if (task.status !== "succeeded") throw new Ended(1);
}

export async function details(cli: Cli, named: string): Promise<void> {
  const status = await (await cli.connect()).getPrd({ params: { task: named }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(status);
  const { task, passes, waves } = status;
  cli.terminal.print(show`${painted("bold", task.key)}  ${task.title}  ${statusOf(task)}`);
  cli.terminal.print(...passes.flatMap(describePass), ...describeWaves(waves));
}

export async function change(cli: Cli, named: string, pass: PassName, file: string): Promise<void> {
  const text = file === "-" ? await readAll(process.stdin) : readText(resolve(cli.cwd, file), file);
  const result = parseYamlValue(file, text);
  if (typeof result !== "object" || result === null || Array.isArray(result))
    throw new AppError("invalid", `${file} holds no result of a pass. Begin with what drover prd show --json prints of it.`);
  const body = { result: result as Record<string, unknown> };
  const status = await (await cli.connect()).changePass({ params: { task: named, pass }, body, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(status);
  cli.terminal.print(
    show`The pass ${painted("bold", pass)} of ${status.task.key} is changed. Go on with: drover prd approve '${status.task.key}'`,
  );
}

/** The text of a PRD and the name of its file, which says its form. */
function readPrdFile(cli: Cli, file: string): { file: string; text: string } {
  const text = readConfigText(resolve(cli.cwd, file));
  if (text === undefined) throw new AppError("invalid", `There is no file ${file}.`);
  return { file: basename(file), text };
}

function readText(path: string, named: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new AppError("invalid", `Cannot read ${named}.`, { cause });
  }
}

function describePass({ pass, by, findings, result }: Pass, index: number): Shown[] {
  const head = show`${painted("bold", `${index + 1}. ${pass}`)}${by === null ? "" : ` (by ${by})`}`;
  return [head, ...linesOf(result).map((line) => show`   ${line}`), ...findings.map((finding) => Shown.lines(`   ! ${finding}`, "yellow"))];
}

function linesOf(result: Pass["result"]): string[] {
  if (result === null) return ["not done yet"];
  if ("phases" in result) return result.phases.map(({ name, requirements }) => `${name}: ${requirements.join(", ")}`);
  if ("tests" in result) return result.tests.flatMap(({ task, acceptance }) => acceptance.map((test) => `${task}: ${test}`));
  return result.tasks.map(({ id, title, after }) => `${id}: ${title}${after.length > 0 ? ` (after ${after.join(", ")})` : ""}`);
}

function describeWaves(waves: readonly (readonly string[])[]): Shown[] {
  return waves.length === 0 ? [] : [show`At the same time: ${waves.map((wave) => wave.join(", ")).join("; then ")}`];
}

function describeEstimate({ tasks, workers, costUsd, durationMs, basis }: PrdEstimate): Shown {
  const from = basis.kind === "runs" ? `from ${basis.tasks} finished tasks` : "a guess: no such task has been finished yet";
  const minutes = (ms: number) => Math.round(ms / 60_000);
  return show`${tasks} tasks, ${workers} at a time: $${costUsd.low.toFixed(2)} to $${costUsd.high.toFixed(2)}, ${minutes(durationMs.low)} to ${minutes(durationMs.high)} min (${from}).`;
}
