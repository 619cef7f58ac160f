import type { Command } from "commander";
import type { Act } from "../action.ts";
import { examples } from "./options.ts";

const load = () => import("../commands/plan.ts");
const which = "the plan: api#42, or its id";

/** From an intent to code: tasks of the workflow `plan`, and what they yield. */
export function definePlans(program: Command, act: Act): void {
  const plan = program.command("plan").description("from an intent to specs, phases and one pull request");
  const made = plan
    .command("new")
    .description("file a plan")
    .argument("[text...]", "what is wanted; - reads standard input; without it, an editor opens")
    .option("-p, --project <name>", "its project (default: that of the current folder)")
    .option("-f, --file <file>", "what is wanted, from a file; its first line is the title")
    .option("--workflow <name>", "how it is done", "plan");
  examples(made, ["drover plan new 'A shop with a cart'"], ["drover plan new -f shop.md"], ["echo 'build X' | drover plan new -"]).action(
    act(async () => (await load()).add),
  );
  plan
    .command("show")
    .description("a plan with its runs and what its agent wrote")
    .argument("<plan>", which)
    .action(act(async () => (await load()).details));
  examples(plan.command("tree").description("what became of a plan: its specs and their phases").argument("<plan>", which), [
    "drover plan tree 'api#42'",
  ]).action(act(async () => (await load()).tree));
  plan
    .command("approve")
    .description("approve a plan: its specs are built")
    .argument("<plan>", which)
    .action(act(async () => (await load()).approve));
}
