import type { Command } from "commander";
import type { Act } from "../action.ts";
import { afterOption, examples, limitOption } from "./options.ts";

const load = () => import("../commands/alert.ts");

export function defineAlerts(program: Command, act: Act): void {
  const alert = program.command("alert").description("what a person must see, and the channels it is sent to");
  const list = alert
    .command("list", { isDefault: true })
    .description("the alerts, the newest first")
    .option("--all", "resolved ones too")
    .addOption(limitOption())
    .addOption(afterOption());
  examples(list, ["drover alert list"], ["drover alert", "the same"]).action(act(async () => (await load()).list));
  alert
    .command("dismiss")
    .description("close one that you have seen to; should its cause come again, so does an alert")
    .argument("<alert>", "its id, as `drover alert list` shows it")
    .action(act(async () => (await load()).dismiss));
  alert
    .command("channels")
    .description("the channels that alerts are sent to, and how that goes")
    .action(act(async () => (await load()).channels));
  const test = alert
    .command("test")
    .description("send a message to a channel, to see whether it works")
    .argument("[channel]", "its name (default: each of them)");
  examples(test, ["drover alert test team", "exits with 1 when it could not be told"]).action(act(async () => (await load()).test));
}
