import { AppError } from "../../base/errors.ts";
import type { ThemeName } from "../../tui/theme.ts";
import type { Cli } from "../cli.ts";

export async function tui(cli: Cli, { theme }: { theme: ThemeName }): Promise<void> {
  if (!cli.terminal.isInteractive || cli.terminal.width === undefined)
    throw new AppError("invalid", "drover tui needs a terminal. In a script, use the other commands with --json.");
  const { runTui } = await import("../../tui/tui.ts");
  const { clock, cwd, env } = cli;
  // It says that the connection is lost, and asks again itself.
  await runTui({ connect: () => cli.connect({ retries: 0 }), clock, cwd, env, theme: cli.terminal.hasColor ? theme : "plain" }, cli.signal);
}
