import { Argument, Option, type Command } from "commander";
import type { Act } from "../action.ts";
import type { Surroundings } from "../cli.ts";
import { exitCodes } from "../exit-codes.ts";
import { Shown } from "../../words/shown.ts";
import { examples } from "./options.ts";

const shells = ["bash", "zsh", "fish", "powershell"];
// Not read from the demo, which would be loaded to print a help text. A test compares them.
const demoAgents = ["scripted", "claude-scripted", "claude"];

export function defineDemo(program: Command, act: Act): void {
  const demo = program
    .command("demo")
    .description("watch an issue become a verified pull request, in a sample project that is removed again")
    .option("--keep", "leave its folder behind")
    .addOption(new Option("--agent <agent>", "scripted needs nothing; claude costs your own tokens").choices(demoAgents));
  examples(demo, ["drover demo"], ["drover demo --keep --json"]).action(act(async () => (await import("../commands/demo.ts")).demo));
}

/** `again` makes the same commands anew: completions add commands of their own to those they tell of. */
export function defineHelp(program: Command, around: Surroundings, again: () => Command): void {
  const complete = async (...words: string[]) => (await import("../commands/completions.ts")).complete(again(), words);
  const completions = program
    .command("completions")
    .description("print a shell's completion script")
    .addArgument(new Argument("<shell>").choices(shells));
  examples(completions, ["source <(drover completions bash)", "in ~/.bashrc"], ["source <(drover completions zsh)", "in ~/.zshrc"]).action(
    (shell: string) => complete("completions", shell),
  );
  // What the scripts call: `drover complete -- task li`.
  program
    .command("complete", { hidden: true })
    .argument("[words...]")
    .action((words: string[]) => complete("complete", "--", ...words));

  program.helpCommand(false);
  const help = program.command("help").description("help for a command, or for exit-codes").argument("[command...]");
  help.action((names: string[]) => {
    if (names[0] === "exit-codes") around.terminal({ color: false }).print(Shown.lines(exitCodesText));
    else commandOf(program, names).outputHelp();
  });
  program.addHelpText("after", "\nExit codes: drover help exit-codes");
}

const exitCodesText = `What a command's exit status says:\n${exitCodes.map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`).join("\n")}`;

function commandOf(program: Command, names: readonly string[]): Command {
  return names.reduce(
    (command, name) => command.commands.find((one) => one.name() === name) ?? command.error(`error: unknown command '${name}'`),
    program,
  );
}
