import { type Command, Option } from "commander";
import type { Act } from "../action.ts";
import { examples, wholeNumber } from "./options.ts";

const load = () => import("../commands/prd.ts");
// Not read from the contract: that would load the whole route table to print a help text. A test compares them.
const formats = ["md", "yaml", "json"];
const passes = ["phases", "tasks", "acceptance", "order"];
const which = "the PRD's task: api#42, or its id";
const file = "the PRD: .md with front matter, .yaml or .json";

/** From a PRD to one pull request. */
export function definePrds(program: Command, act: Act): void {
  const prd = program.command("prd").description("from a product requirements document to one pull request");
  const template = prd
    .command("template")
    .description("print a PRD to begin with")
    .addOption(new Option("--format <form>", "its form").choices(formats).default("md"));
  examples(template, ["drover prd template >feature.md"]).action(act(async () => (await load()).template));
  const ingest = prd
    .command("ingest")
    .description("check a PRD, and show what it would come to and what that may take; nothing is kept, and no model is asked")
    .argument("<file>", file)
    .option("-p, --project <name>", "estimate from what tasks of this project took");
  examples(ingest, ["drover prd ingest feature.md"], ["drover prd ingest feature.md --json"]).action(
    act(async () => (await load()).ingest),
  );
  defineRun(prd, act);
  prd
    .command("show")
    .description("how far a PRD is, and what each pass of its decomposition came to")
    .argument("<task>", which)
    .action(act(async () => (await load()).details));
  const change = prd
    .command("change")
    .description("change what a pass came to, while it waits for approval")
    .argument("<task>", which)
    .argument("<pass>", passes.join(", "))
    .argument("<file>", "what it is to be, as `drover prd show --json` prints it; - reads standard input");
  examples(change, ["drover prd change 'api#42' order tasks.json"]).action(act(async () => (await load()).change));
  examples(
    prd.command("approve").description("approve what a PRD waits with: the next pass, or its tasks, begin").argument("<task>", which),
    ["drover prd approve 'api#42'"],
  ).action(act(async () => (await load()).approve));
}

function defineRun(prd: Command, act: Act): void {
  const run = prd
    .command("run")
    .description("have a PRD built: decomposed, built test first, checked as a whole; the same PRD again goes on where it was")
    .argument("<file>", file)
    .option("--target <folder>", "the repository, which is registered if it is not (default: the current folder)")
    .option("--pr", "open a pull request; without it, the branch is pushed")
    .option("--approve", "wait for approval after each pass of the decomposition")
    .option("--workflow <name>", "how it is done (default: prd; with --approve: prd-approved)")
    .option("--priority <0-100>", "the higher goes first within its project", wholeNumber)
    .option("--no-wait", "only file it");
  examples(
    run,
    ["drover prd run feature.md --target ~/code/api --pr"],
    ["drover prd run feature.md --approve", "look at each pass before the next"],
  ).action(act(async () => (await load()).run));
}
