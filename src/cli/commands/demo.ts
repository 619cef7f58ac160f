import type { Cli } from "../cli.ts";
import { confirm } from "../confirm.ts";
import { Shown } from "../../words/shown.ts";
import type { DemoAgent } from "../../demo/demo.ts";

export interface DemoCommandOptions {
  readonly keep?: boolean;
  readonly agent?: DemoAgent;
}

export async function demo(cli: Cli, { keep = false, agent }: DemoCommandOptions): Promise<void> {
  const { runDemo } = await import("../../demo/demo.ts");
  await runDemo({
    keep,
    agent,
    json: cli.isJson,
    ask: cli.terminal.isInteractive ? (question) => confirm(cli, question) : undefined,
    env: cli.env,
    write: (text) => cli.terminal.print(Shown.lines(text.replace(/\n$/, ""))),
    signal: cli.signal,
  });
}
