import { type Command, Option } from "commander";
import { bootstrapLanguages } from "../../detect/bootstrap.ts";
import type { Act } from "../action.ts";
import { decimal, examples, list, wholeNumber } from "./options.ts";

const load = () => import("../commands/project.ts");

export function defineInit(program: Command, act: Act): void {
  const init = program
    .command("init")
    .description("set up a repository for Drover: its .drover folder, with the checks that its files suggest")
    .argument("[folder]", "a folder of the repository", ".")
    .option("--repository <owner/name>", "its repository on GitHub")
    .option("--label <label>", "an issue with it becomes a task; may be given again", list)
    .option("--language <language>", "language the agent writes to people in");
  init.addOption(
    new Option("--begin <language>", "begin a project in an empty folder: code, a test, a test command").choices(bootstrapLanguages),
  );
  examples(
    init,
    ["drover init", "in the repository"],
    ["drover init --begin python", "in an empty repository"],
    ["drover init --label bug", "issues labelled bug become tasks"],
  );
  init.action(act(async () => (await import("../commands/init.ts")).init));
}

export function defineProjects(program: Command, act: Act): void {
  const project = program.command("project").description("register repositories and say how they share the agents");
  const register = project
    .command("register")
    .description("register a git repository: its issues become tasks")
    .argument("[path]", "its folder", ".")
    .option("--name <name>", "what to call it (default: the folder's name)")
    .option("--priority <0-100>", "the higher goes first", wholeNumber)
    .option("--weight <number>", "its share of starts, relative to the others", decimal);
  examples(register, ["drover project register", "the current folder"], ["drover project register ~/code/api --priority 80"]);
  register.action(act(async () => (await load()).register));
  named(project.command("unregister"), "forget a project: its open tasks are cancelled, its saved work stays").action(
    act(async () => (await load()).unregister),
  );
  const all = project.command("list").description("every project");
  all.action(act(async () => (await load()).list));
  named(project.command("status"), "one project: last poll, queue, last error").action(act(async () => (await load()).status));
  named(project.command("poll"), "look at the project's issues now").action(act(async () => (await load()).poll));
  defineShares(project, act);
}

function defineShares(project: Command, act: Act): void {
  const priority = project.command("set-priority").argument("<priority>", "0 to 100", wholeNumber);
  named(priority, "which project goes first: the higher").action(act(async () => (await load()).setPriority));
  examples(priority, ["drover project set-priority 80"]);
  const weight = project.command("set-weight").argument("<weight>", "such as 2 or 0.5", decimal);
  named(weight, "a project's share of starts, relative to the others").action(act(async () => (await load()).setWeight));
  examples(weight, ["drover project set-weight 2.0 api", "twice as many starts as a project of weight 1"]);
  named(project.command("enable"), "poll the project and start its tasks again").action(act(async () => (await load()).enable));
  named(project.command("disable"), "neither poll the project nor start its tasks; they are kept").action(
    act(async () => (await load()).disable),
  );
}

/** A command about one project, which may be named last. */
function named(command: Command, description: string): Command {
  return command.description(description).argument("[project]", "name of the project (default: that of the current folder)");
}
