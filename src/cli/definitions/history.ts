import type { Command } from "commander";
import type { Act } from "../action.ts";
import { afterOption, examples, limitOption, wholeNumber } from "./options.ts";

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
}
