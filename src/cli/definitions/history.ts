import { type Command, Option } from "commander";
import type { Act } from "../action.ts";
import { afterOption, examples, limitOption, wholeNumber } from "./options.ts";

// Not read from the contract, as the statuses of tasks are not.
const subjects = ["project", "workflow", "agent"];

const load = () => import("../commands/history.ts");

export function defineHistory(program: Command, act: Act): void {
  const events = program
    .command("events")
    .description("what happened, in order")
    .option("-f, --follow", "what happens from now on")
    .option("-p, --project <name>", "of one project")
    .option("-t, --task <task>", "of one task")
    .option("--after <sequence>", "only what came after this event", wholeNumber)
    .addOption(limitOption());
  examples(
    events,
    ["drover events -f", "live, over restarts of the daemon"],
    ["drover events -f --after 0 --json", "all there is, as JSON lines"],
  ).action(act(async () => (await load()).events));
  program
    .command("audit")
    .description("who did what, the newest first")
    .addOption(limitOption())
    .addOption(afterOption())
    .action(act(async () => (await load()).audit));
  const analytics = program
    .command("analytics")
    .description("what runs came to: how many, how they ended, their time, tokens and cost")
    .option("--days <number>", "of this many days, today included", wholeNumber, 30)
    .addOption(new Option("--by <subject>", "a row for each").choices(subjects).default("project"));
  examples(analytics, ["drover analytics --days 7"], ["drover analytics --by agent --json", "a row a day and an agent"]).action(
    act(async () => (await import("../commands/analytics.ts")).analytics),
  );
}
