import { AppError } from "../../base/errors.ts";
import type { ThemeName } from "../../tui/theme.ts";
import type { Cli } from "../cli.ts";

export async function tui(cli: Cli, { theme }: { theme: ThemeName }): Promise<void> {
  if (!cli.terminal.isInteractive || cli.terminal.width === undefined)
    throw new AppError("invalid", "drover tui needs a terminal. In a script, use the other commands with --json.");
  const { runTui } = await import("../../tui/tui.ts");
  const { connect, clock, cwd, env } = cli;
  await runTui({ connect, clock, cwd, env, theme: cli.terminal.hasColor ? theme : "plain" }, cli.signal);
}
