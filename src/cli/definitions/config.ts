import type { Command } from "commander";
import type { Act } from "../action.ts";
import { examples, wholeNumber } from "./options.ts";

const load = () => import("../commands/config.ts");
const local = ["--local", "the file of the project in the current folder, instead of the home's"] as const;

export function defineConfig(program: Command, act: Act): void {
  const config = program.command("config").description("look at the settings and change them; a running daemon takes changes over");
  config
    .command("init")
    .description("write the home's file, with every setting explained")
    .action(act(async () => (await load()).init));
  const show = config
    .command("show")
    .description("the settings in force")
    .argument("[key]", "a setting or a section: daemon.maxProcesses, daemon")
    .option(...local)
    .option("--origin", "where each comes from");
  examples(show, ["drover config show daemon --origin"], ["drover config show --json"]).action(act(async () => (await load()).show));
  const set = config
    .command("set")
    .description("change a setting; a file that would not be valid is left as it is")
    .argument("<key>")
    .argument("<value>")
    .option(...local);
  examples(
    set,
    ["drover config set daemon.maxProcesses 4"],
    ["drover config set --local checks '[{name: test, command: npm test}]'"],
  ).action(act(async () => (await load()).set));
  config
    .command("reset")
    .description("put a setting, a section, or all back to the default")
    .argument("[key]")
    .option(...local)
    .action(act(async () => (await load()).reset));
  const validate = config
    .command("validate")
    .description("check a file and name each problem with its line")
    .argument("[file]", "default: the home's")
    .option(...local);
  examples(validate, ["drover config validate", "exits with 2 when it is not valid"]).action(act(async () => (await load()).validate));
  config
    .command("rollback")
    .description("put the version before in force again")
    .option("--to <version>", "or this one", wholeNumber)
    .action(act(async () => (await load()).rollback));
  config
    .command("upgrade")
    .description("bring a file of an older format to the present one; what it was stays beside it as .bak")
    .option(...local)
    .action(act(async () => (await load()).upgrade));
  examples(config.command("schema").description("print the JSON Schema of the files, for an editor"), [
    "drover config schema > drover.schema.json",
  ]).action(act(async () => (await load()).schema));
}
