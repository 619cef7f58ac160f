import { type Command, InvalidArgumentError, Option } from "commander";
import type { Act } from "../action.ts";
import { afterOption, examples, limitOption, list, moment, wholeNumber } from "./options.ts";

const load = () => import("../commands/task.ts");
// Not read from the contract: that would load the whole route table to print a help text. A test compares them.
const statuses = ["draft", "queued", "running", "waiting", "blocked", "succeeded", "failed", "cancelled"];
const deliveries = ["pull_request", "branch", "comment"];
const keyValue = (text: string, before: Readonly<Record<string, string>> = {}) => {
  const [, key, value] = /^([^=]+)=([\s\S]*)$/u.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError("Use NAME=VALUE.");
  return { ...before, [key]: value };
};
const which = "the task: api#42, or its id";

export function defineTasks(program: Command, act: Act, now: () => number): void {
  const task = program.command("task").description("file tasks, watch them, get their work");
  defineAdd(task, act, now);
  const listing = task
    .command("list")
    .description("tasks, the newest first")
    .option("-p, --project <name>", "of one project")
    .addOption(new Option("-s, --status <status>", "with this status").choices(statuses))
    .option("--stage <stage>", "at this stage")
    .option("--recent", "only the last 100 that ended")
    .addOption(limitOption())
    .addOption(afterOption());
  examples(listing, ["drover task list --status failed"], ["drover task list -p api --json"]).action(act(async () => (await load()).list));
  examples(task.command("show").description("one task with its runs, checks and saved work").argument("<task>", which), [
    "drover task show 'api#42'",
  ]).action(act(async () => (await load()).details));
  task
    .command("priority")
    .description("have a task go before or behind others of its project")
    .argument("<task>", which)
    .argument("<priority>", "0 to 100; the higher goes first", wholeNumber)
    .action(act(async () => (await load()).priority));
  task
    .command("cancel")
    .description("cancel a task; work already done is saved first")
    .argument("<task>", which)
    .action(act(async () => (await load()).cancel));
  task
    .command("retry")
    .description("queue a failed, cancelled, blocked or draft task again")
    .argument("<task>", which)
    .action(act(async () => (await load()).retry));
  defineGates(task, act);
  defineLoops(task, act);
  const depend = task
    .command("depend")
    .description("say anew which tasks a task waits for, in place of those before; a running task can't be changed")
    .argument("<task>", which)
    .option("--on <task>", "one that must have succeeded before; may be given again", list)
    .option("--nothing", "let it wait for none");
  examples(depend, ["drover task depend 'api#4' --on 'api#2' --on 'api#3'"], ["drover task depend 'api#4' --nothing"]).action(
    act(async () => (await load()).depend),
  );
  const logs = task
    .command("logs")
    .description("what happened with a task, from its beginning")
    .argument("<task>", which)
    .option("-f, --follow", "go on until it has ended or needs a person")
    .option("--output", "what the agent of its last run prints, instead")
    .option("--raw", "the same as the agent wrote it, in its own format");
  examples(logs, ["drover task logs -f 'api#42'", "live"], ["drover task logs --output -f 'api#42'", "the agent's words, live"]).action(
    act(async () => (await load()).logs),
  );
  defineWork(task, act);
}

/** What gets a task's work out of Drover. */
function defineWork(task: Command, act: Act): void {
  const diff = task
    .command("diff")
    .description("what the task changed, as a patch")
    .argument("<task>", which)
    .option("--checkpoint <number>", "as of this checkpoint", wholeNumber);
  examples(diff, ["drover task diff 'api#42' | git apply"]).action(act(async () => (await load()).diff));
  const bundle = task
    .command("bundle")
    .description(
      "write what shows how a task was done to a new folder: prompts, patch, output of checks, cost, transcripts; secrets masked",
    )
    .argument("<task>", which)
    .argument("[folder]", "a folder that does not exist yet (default: drover-PROJECT-NUMBER)");
  examples(bundle, ["drover task bundle 'api#42' evidence"]).action(act(async () => (await import("../commands/bundle.ts")).bundle));
  task
    .command("restore")
    .description("write a task's saved work to a new folder")
    .argument("<task>", which)
    .argument("<folder>", "a folder that does not exist yet")
    .option("--checkpoint <number>", "as of this checkpoint", wholeNumber)
    .action(act(async () => (await load()).restore));
}

/** What a person decides of a task that waits for it. */
function defineGates(task: Command, act: Act): void {
  examples(
    task.command("approve").description("approve what a task waits with: it goes on, or its result is delivered").argument("<task>", which),
    ["drover task approve 'api#42'"],
  ).action(act(async () => (await load()).approve));
  task
    .command("deny")
    .description("deny what a task waits with: it is cancelled, its work saved")
    .argument("<task>", which)
    .option("-m, --message <text>", "why", "")
    .action(act(async () => (await load()).deny));
}

/** What there is of a task whose stage is a loop. */
function defineLoops(task: Command, act: Act): void {
  task
    .command("notes")
    .description("what the iterations of a task's loop left to each other")
    .argument("<task>", which)
    .option("--stage <stage>", "of this stage (default: the one that it is at)")
    .action(act(async () => (await load()).notes));
  const rollback = task
    .command("rollback")
    .description(
      "go back to the end of an iteration of a task's loop: its files and notes are as they were then; `drover task retry` goes on from there",
    )
    .argument("<task>", which)
    .requiredOption("--to <iteration>", "the iteration", wholeNumber);
  examples(rollback, ["drover task rollback 'api#42' --to 2"]).action(act(async () => (await load()).rollback));
}

function defineAdd(task: Command, act: Act, now: () => number): void {
  const add = task
    .command("add")
    .description("file a task")
    .argument("<title...>", "what is wanted, in one line")
    .option("-p, --project <name>", "its project (default: that of the current folder)")
    .option("-b, --body <text>", "what is wanted, in full")
    .option("--body-file <file>", "the same from a file; - is standard input")
    .option("--plan", "only write a plan, change nothing")
    .option("--workflow <name>", "how it is done (default: issue)")
    .option("--needs <pool>", "a pool in which its runs need a place; may be given again", list)
    .option("--set <name=value>", "a parameter of the workflow; may be given again", keyValue)
    .option("--priority <0-100>", "the higher goes first within its project", wholeNumber)
    .option("--deadline <time>", "90m, 12h, 3d, or a date", moment(now))
    .addOption(new Option("--delivery <how>", "how the result reaches people").choices(deliveries))
    .option("--after <task>", "wait until this task has succeeded; may be given again", list)
    .option("--draft", "only write it down; `drover task retry` queues it")
    .option("--key <key>", "file it once: the same key gives the same task again")
    .option("-w, --wait", "show what happens until it has ended; fail unless it succeeded");
  examples(
    add,
    ["drover task add -p api 'Answer 404 for an unknown order'"],
    ["drover task add --body-file spec.md --wait 'Build the importer'"],
  ).action(act(async () => (await load()).add));
}
