import type { Command } from "commander";
import type { Act } from "../action.ts";
import { examples } from "./options.ts";

const load = () => import("../commands/merge.ts");

export function defineMerges(program: Command, act: Act): void {
  const merge = program.command("merge").description("look at finished branches and merge them, in a queue that tests them together");
  examples(
    merge
      .command("list", { isDefault: true })
      .description("finished branches that wait to be merged; those in the queue first")
      .option("-p, --project <name>", "of one project"),
    ["drover merge", "the same"],
  ).action(act(async () => (await load()).list));
  examples(merge.command("add").description("put the branch of a finished task into the queue").argument("<task>", "its key or id"), [
    "drover merge add api#42",
    "tested with what is before it, then merged",
  ]).action(act(async () => (await load()).add));
  examples(
    merge.command("remove").description("take a branch out of the queue; its pull request stays open").argument("<task>", "its key or id"),
    ["drover merge remove api#42"],
  ).action(act(async () => (await load()).remove));
}
