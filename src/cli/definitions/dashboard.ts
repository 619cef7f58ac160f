import type { Command } from "commander";
import type { Act } from "../action.ts";
import { examples } from "./options.ts";

export function defineDashboard(program: Command, act: Act): void {
  const command = program
    .command("dashboard")
    .description("open the dashboard in a browser: everything at a look, and what can be done about it")
    .option("--no-open", "only print the link");
  examples(
    command,
    ["drover dashboard", "prints a link that lets one browser in, once, within five minutes"],
    ["drover dashboard --no-open", "for a browser elsewhere"],
  ).action(act(async () => (await import("../commands/dashboard.ts")).dashboard));
}
