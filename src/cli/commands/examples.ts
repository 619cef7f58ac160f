import { AppError } from "../../base/errors.ts";
import type { ExampleResult } from "../../demo/examples.ts";
import type { Cli } from "../cli.ts";
import { inOneUnit } from "../../words/format.ts";
import { painted, show, Shown } from "../../words/shown.ts";

export async function list(cli: Cli): Promise<void> {
  const { listExamples } = await import("../../demo/examples.ts");
  const items = await listExamples();
  if (cli.isJson) return cli.terminal.printJson({ items });
  await cli.terminal.printTable(
    ["EXAMPLE", "SHOWS"],
    items.map(({ name, title }) => [painted("bold", name), show`${title}`]),
  );
}

export async function run(cli: Cli, name: string | undefined, { all = false }: { all?: boolean }): Promise<void> {
  if (all === (name !== undefined))
    throw new AppError("invalid", "Say which example to run, or --all. List them with: drover examples list");
  const { runExamples } = await import("../../demo/examples.ts");
  const items = await runExamples(name === undefined ? null : [name], {
    env: cli.env,
    say: (line) => cli.isJson || cli.terminal.print(Shown.lines(line)),
    signal: cli.signal,
  });
  if (cli.isJson) return cli.terminal.printJson({ items });
  cli.terminal.print(...items.map(describe));
}

function describe({ name, task, status, branch, reports, durationMs }: ExampleResult): Shown {
  const what = [branch === null ? "" : ` on ${branch}`, ...reports.map(({ verdict, summary }) => `, ${verdict}: ${summary}`)].join("");
  return show`${painted("bold", name)}: ${task} ${status}${what} (${inOneUnit(durationMs)})`;
}
