import { type Command, Option } from "commander";
import type { Act } from "../action.ts";
import { examples } from "./options.ts";

/** What waits for what. */
export function defineGraph(program: Command, act: Act): void {
  const graph = program
    .command("graph")
    .description("draw the open tasks: what each waits for, and what it is part of")
    .option("-p, --project <name>", "of one project")
    .addOption(
      new Option("--format <format>", "as a table, for Graphviz, or for Mermaid").choices(["text", "dot", "mermaid"]).default("text"),
    );
  examples(graph, ["drover graph -p api"], ["drover graph --format dot | dot -Tsvg >tasks.svg", "as a picture"]).action(
    act(async () => (await import("../commands/graph.ts")).graph),
  );
}
