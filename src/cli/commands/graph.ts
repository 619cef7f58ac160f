import type { Cli } from "../cli.ts";
import { statusOf } from "../../words/describe-task.ts";
import { inOrder, linked, toDot, toMermaid } from "../draw-graph.ts";
import { plural } from "../../words/format.ts";
import { painted, show, Shown } from "../../words/shown.ts";

export interface GraphOptions {
  readonly project?: string;
  readonly format: "text" | "dot" | "mermaid";
}

export async function graph(cli: Cli, { format, ...query }: GraphOptions): Promise<void> {
  const drawn = await (await cli.connect()).getGraph({ query, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(drawn);
  if (drawn.omitted > 0) cli.terminal.note(show`There is no room for ${plural(drawn.omitted, "newer open task")}; --project shows less.`);
  if (format !== "text") return cli.terminal.print(...(format === "dot" ? toDot : toMermaid)(drawn).map((line) => Shown.lines(line)));
  if (drawn.tasks.length === 0) return cli.terminal.print(show`No open tasks.`);
  const tasks = inOrder(drawn);
  const byId = new Map<string, (typeof tasks)[number]>(tasks.map((task) => [task.id, task]));
  const keys = (ids: readonly (string | null)[]) => linked(byId, ids).map(({ key }) => key);
  const rows = tasks.map((task) => [
    painted("bold", task.key),
    statusOf(task),
    show`${keys(task.dependsOn).join(", ") || "-"}`,
    show`${keys([task.parentId])[0] ?? "-"}`,
    show`${task.title}`,
  ]);
  await cli.terminal.printTable(["TASK", "STATUS", "AFTER", "PART OF", "TITLE"], rows);
}
