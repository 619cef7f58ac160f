import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { AppError } from "../../base/errors.ts";
import type { Run } from "../../contract/run.ts";
import type { Cli } from "../cli.ts";
import { projectName } from "../current-project.ts";
import { statusOf } from "../../words/describe-task.ts";
import { painted, show, Shown } from "../../words/shown.ts";

export { approve } from "./task.ts";

export interface PlanOptions {
  readonly project?: string;
  readonly file?: string;
  readonly workflow: string;
}

const TITLE_MAX = 100;
const EMPTY = "\n# What is wanted? The first line is the title. Lines that begin with # are left out.\n";

export async function add(cli: Cli, words: string[], options: PlanOptions): Promise<void> {
  const client = await cli.connect();
  const wanted = (await readIntent(cli, words, options.file)).trim();
  if (wanted === "") throw new AppError("invalid", "A plan needs to know what is wanted: give it as text, as a file, or by the editor.");
  const [first = ""] = wanted.split("\n", 1);
  const task = await client.createTask({
    body: {
      project: await projectName(cli, client, options.project),
      title: first.replace(/^#+\s*/u, "").slice(0, TITLE_MAX),
      body: wanted,
      workflow: options.workflow,
    },
    signal: cli.signal,
  });
  if (cli.isJson) return cli.terminal.printJson(task);
  cli.terminal.print(show`Filed ${painted("bold", task.key)}: ${statusOf(task)}.`);
  cli.terminal.note(show`Once it waits for you: drover plan show '${task.key}' and drover plan approve '${task.key}'`);
}

export async function details(cli: Cli, plan: string): Promise<void> {
  const task = await (await cli.connect()).getTask({ params: { task: plan }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(task);
  cli.terminal.print(show`${painted("bold", task.key)}  ${task.title}`, show`${statusOf(task)}`);
  const written = task.runs.map(reportOf).find((report) => report !== "");
  if (written !== undefined) cli.terminal.print(show``, Shown.lines(written));
}

export async function tree(cli: Cli, plan: string): Promise<void> {
  const { items } = await (await cli.connect()).getTaskTree({ params: { task: plan }, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson({ items });
  for (const { depth, task } of items) {
    cli.terminal.print(show`${"  ".repeat(depth)}${painted("bold", task.key)}  ${task.workflow}  ${statusOf(task)}  ${task.title}`);
  }
}

function reportOf({ outcome }: Run): string {
  return outcome?.status === "no_change" || outcome?.status === "succeeded" ? outcome.report : "";
}

async function readIntent(cli: Cli, words: readonly string[], file: string | undefined): Promise<string> {
  if (file !== undefined) return readFile(resolve(cli.cwd, file), file);
  if (words.length === 1 && words[0] === "-") return text(process.stdin);
  return words.length > 0 ? words.join(" ") : askEditor(cli);
}

function readFile(path: string, named: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new AppError("invalid", `Cannot read ${named}.`, { cause });
  }
}

function askEditor(cli: Cli): string {
  const editor = cli.env["VISUAL"] ?? cli.env["EDITOR"];
  if (editor === undefined || !process.stdin.isTTY)
    throw new AppError("invalid", "Say what is wanted: drover plan new 'TEXT', or -f FILE, or set EDITOR.");
  const folder = mkdtempSync(join(tmpdir(), "drover-plan-"));
  try {
    const path = join(folder, "plan.md");
    writeFileSync(path, EMPTY, { mode: 0o600 });
    const [program = "", ...args] = editor.split(" ");
    const { status } = spawnSync(program, [...args, path], { stdio: "inherit" });
    if (status !== 0) throw new AppError("cancelled", `${editor} ended without saving: nothing was filed.`);
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => !/^#( |$)/u.test(line))
      .join("\n");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
