import { Option, type Command } from "commander";
import type { Act } from "../action.ts";
import { examples } from "./options.ts";

export function defineTui(program: Command, act: Act): void {
  const tui = program
    .command("tui")
    .description("everything on one screen, live: what needs you, chat, plans, executions, records")
    .addOption(
      new Option("--theme <name>", "its colours; NO_COLOR is plain").choices(["dark", "light", "contrast", "plain"]).default("dark"),
    );
  examples(tui, ["drover tui"], ["drover tui --theme light"]).action(act(async () => (await import("../commands/tui.ts")).tui));
}
