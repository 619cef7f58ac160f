import type { Command } from "commander";
import type { Act } from "../action.ts";
import { examples, wholeNumber } from "./options.ts";

const load = () => import("../commands/workflow.ts");
const projectOption = ["-p, --project <name>", "as this project has it"] as const;

/** How kinds of tasks are done. */
export function defineWorkflows(program: Command, act: Act): void {
  const workflow = program.command("workflow").description("look at the workflows, check them, and go back to an earlier version");
  workflow
    .command("list", { isDefault: true })
    .description("the workflows in force")
    .option(...projectOption)
    .action(act(async () => (await load()).list));
  const show = workflow
    .command("show")
    .description("one workflow with its stages and versions")
    .argument("<name>", "its name")
    .option(...projectOption)
    .option("--resolved", "all of it, put together with what it extends, as YAML");
  examples(show, ["drover workflow show issue --resolved"]).action(act(async () => (await load()).showOne));
  const validate = workflow
    .command("validate")
    .description("check workflow files, without a daemon")
    .argument("[folder]", "a folder with workflows (default: those of the home, and of the project that the current folder lies in)");
  examples(validate, ["drover workflow validate"]).action(act(async () => (await load()).validate));
  const render = workflow
    .command("render")
    .description("the prompt of a stage as an agent would get it, with made-up data")
    .argument("<name>", "its name")
    .argument("[stage]", "its stage (default: the first)")
    .option(...projectOption);
  examples(render, ["drover workflow render ralph"]).action(act(async () => (await load()).render));
  const rollback = workflow
    .command("rollback")
    .description("put an earlier version in force for new tasks; what its file holds now is not taken again until it changes")
    .argument("<name>", "its name")
    .option(...projectOption)
    .option("--to <version>", "this version (default: the one before)", wholeNumber);
  examples(rollback, ["drover workflow rollback issue --to 3"]).action(act(async () => (await load()).rollback));
}
