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
  defineAlerts(program, act);
}

function defineAlerts(program: Command, act: Act): void {
  const alerts = program.command("alerts").description("what a person must see");
  const list = alerts
    .command("list", { isDefault: true })
    .description("the alerts, the newest first")
    .option("--all", "resolved ones too")
    .addOption(limitOption())
    .addOption(afterOption());
  examples(list, ["drover alerts", "the same"]).action(act(async () => (await load()).alerts));
  const dismiss = alerts
    .command("dismiss")
    .description("close one that you have seen to; should its cause come again, so does an alert")
    .argument("<alert>", "its id, as `drover alerts` shows it");
  dismiss.action(act(async () => (await load()).dismissAlert));
}
