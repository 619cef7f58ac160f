import { AppError } from "../../base/errors.ts";
import { safeLine } from "../../base/text.ts";
import type { HookCategory, HookEvent } from "../../contract/hook.ts";
import type { Run } from "../../contract/run.ts";
import type { Cli } from "../cli.ts";
import { describeOutcome } from "../../words/describe-task.ts";
import { stateName } from "../../words/describe-state.ts";
import { ago, dateTime, money } from "../../words/format.ts";
import { painted, show, Shown } from "../../words/shown.ts";

/** Characters of a detail on one line; --json has all of it. */
const DETAIL_MAX = 300;

export interface ListOptions {
  readonly project?: string;
  readonly task?: string;
  readonly open?: boolean;
  readonly limit: number;
  readonly after?: string;
}

export async function list(cli: Cli, options: ListOptions): Promise<void> {
  const page = await (await cli.connect()).listRuns({ query: options, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(page);
  if (page.items.length === 0) return cli.terminal.print(show`No such runs.`);
  const now = cli.clock.now();
  await cli.terminal.printTable(
    ["RUN", "TASK", "STAGE", "AGENT", "STARTED", "COST", "STATE"],
    page.items.map((run) => row(run, now)),
  );
  if (page.next !== null) cli.terminal.note(show`There are more: --after ${page.next}, or a larger --limit`);
}

export interface AnswerOptions {
  readonly allow?: boolean;
  readonly deny?: boolean;
  readonly question?: string;
  readonly message?: string;
}

/** Answers the only question that a run waits with, or the one that is named. */
export async function answer(cli: Cli, run: string, options: AnswerOptions): Promise<void> {
  if ((options.allow ?? false) === (options.deny ?? false)) throw new AppError("invalid", "Say --allow or --deny.");
  const client = await cli.connect();
  const question = options.question ?? onlyQuestion(await client.getRun({ params: { run }, signal: cli.signal }));
  const body = { question, allow: options.allow ?? false, message: options.message ?? "" };
  const answered = await client.answerRun({ params: { run }, body, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(answered);
  cli.terminal.print(show`Answered. ${answered.taskKey} goes on.`);
}

function onlyQuestion({ id, questions }: Run): string {
  const [first, ...others] = questions;
  if (first === undefined) throw new AppError("conflict", `Run ${id} waits for no answer.`);
  if (others.length > 0)
    throw new AppError(
      "invalid",
      `Run ${id} asks ${questions.length} things. Name one with --question: ${questions.map((one) => one.id).join(", ")}`,
    );
  return first.id;
}

export interface HooksOptions {
  readonly category?: HookCategory;
  readonly limit: number;
  readonly after?: string;
}

/** What the hooks of a run's agent and the daemon told of it, in order. */
export async function hooks(cli: Cli, run: string, query: HooksOptions): Promise<void> {
  const page = await (await cli.connect()).listRunHooks({ params: { run }, query, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(page);
  if (page.items.length === 0) return cli.terminal.print(show`Nothing was told of this run.`);
  for (const hook of page.items) cli.terminal.print(describeHook(hook));
  if (page.next !== null) cli.terminal.note(show`There are more: --after ${page.next}, or a larger --limit`);
}

function describeHook({ at, category, name, tool, detail }: HookEvent): Shown {
  const what = painted(category === "error" ? "red" : "bold", tool === null ? name : `${name} ${tool}`);
  return show`${painted("dim", dateTime(at))}  ${Shown.lines(category.padEnd(7))}  ${what}  ${safeLine(JSON.stringify(detail), DETAIL_MAX)}`;
}

function row(run: Run, now: number): Shown[] {
  const state = run.state === null ? show`${run.progress}` : stateName(run.state);
  return [
    show`${run.id}`,
    painted("bold", run.taskKey),
    show`${run.stage} ${run.attempt}`,
    show`${run.agent}`,
    show`${ago(run.startedAt, now)}`,
    show`${money(run.usage.costUsdMicros)}`,
    run.outcome === null ? state : describeOutcome(run.outcome),
  ];
}
