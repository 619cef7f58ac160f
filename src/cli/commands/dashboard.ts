import { spawn } from "node:child_process";
import type { Cli } from "../cli.ts";
import { buildBundle, isBundleFresh } from "../dashboard-bundle.ts";
import { show } from "../../words/shown.ts";

/** Prints a link that lets one browser in, and opens it where there is a desktop. The first call of a clone builds the bundle. */
export async function dashboard(cli: Cli, options: { open: boolean }): Promise<void> {
  const client = await cli.connect();
  if (!isBundleFresh()) {
    cli.terminal.note(show`Building the dashboard, once (about 5 s) ...`);
    await buildBundle();
  }
  const link = await client.createLoginLink({ signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(link);
  cli.terminal.print(show`${link.url}`);
  cli.terminal.note(show`The link lets one browser in, once, within five minutes.`);
  if (options.open) openInBrowser(cli, link.url);
}

function openInBrowser({ env }: Cli, url: string): void {
  const isMac = process.platform === "darwin";
  if (!isMac && !env["DISPLAY"] && !env["WAYLAND_DISPLAY"]) return;
  const child = spawn(isMac ? "open" : "xdg-open", [url], { stdio: "ignore", detached: true });
  // The link is printed already: whoever has no such program follows it.
  child.on("error", () => {});
  child.unref();
}
