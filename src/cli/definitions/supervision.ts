import { type Command, Option } from "commander";
import type { Act } from "../action.ts";
import { afterOption, examples, limitOption } from "./options.ts";

const load = () => import("../commands/supervision.ts");
const projectOption = ["-p, --project <name>", "the project in which it works (default: that of the current folder)"] as const;
// Not read from the contract: that would load the whole route table to print a help text. A test compares them.
const scopes = ["task", "project", "system"];
const verdicts = ["clear", "issue"];

/** Agents that look at the work of others, and what they conclude. */
export function defineSupervision(program: Command, act: Act): void {
  defineReview(program, act);
  const supervise = program.command("supervise").description("have an agent look at what other agents did; it writes a report");
  examples(
    supervise
      .command("task")
      .description("one task, also while it is under way")
      .argument("<task>", "the task: api#42, or its id")
      .option("-m, --message <text>", "what to look for", ""),
    ["drover supervise task 'api#42'"],
  ).action(act(async () => (await load()).superviseTask));
  supervise
    .command("project")
    .description("all that is done in a project")
    .option(...projectOption)
    .option("-m, --message <text>", "what to look for", "")
    .action(act(async () => (await load()).superviseProject));
  supervise
    .command("system")
    .description("all that is done in all projects")
    .option(...projectOption)
    .option("--causes", "by a manager agent, which looks for what goes wrong in more than one project")
    .option("-m, --message <text>", "what to look for", "")
    .action(act(async () => (await load()).superviseSystem));
  const report = program.command("report").description("what agents concluded of the work of others");
  const list = report
    .command("list")
    .description("reports, the newest first")
    .addOption(new Option("--scope <scope>", "about this much").choices(scopes))
    .addOption(new Option("--verdict <verdict>", "with this verdict").choices(verdicts))
    .option("-p, --project <name>", "about this project")
    .option("--task <task>", "about this task, or by it")
    .addOption(limitOption())
    .addOption(afterOption());
  examples(list, ["drover report list --verdict issue"]).action(act(async () => (await load()).list));
  report
    .command("show")
    .description("one report with what was found, and what was done about it")
    .argument("<report>", "its id")
    .action(act(async () => (await load()).details));
}

function defineReview(program: Command, act: Act): void {
  const review = program
    .command("review")
    .description("have agents review a pull request or a branch; what they conclude is written there")
    .argument("[pr]", "the number of the pull request")
    .option("--branch <branch>", "this branch of the remote instead")
    .option("-p, --project <name>", "its project (default: that of the current folder)")
    .option("-m, --message <text>", "what to look at above all", "");
  examples(review, ["drover review 42"], ["drover review --branch feature/cart"]).action(act(async () => (await load()).review));
}
