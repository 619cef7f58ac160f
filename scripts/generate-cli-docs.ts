import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { systemClock } from "../src/base/clock.ts";
import { exitCodes } from "../src/cli/exit-codes.ts";
import { createProgram } from "../src/cli/program.ts";
import { Terminal } from "../src/cli/terminal.ts";

// Writes docs/cli.md: the help of every command, and the exit codes. With --check it writes nothing, and fails when it differs.

const HELP_WIDTH = 110;
const file = join(import.meta.dirname, "../docs/cli.md");
const program = createProgram({
  env: {},
  cwd: "/",
  homeDirectory: "/",
  clock: systemClock,
  signal: new AbortController().signal,
  terminal: () => new Terminal({ out: process.stdout, err: process.stderr, hasColor: false, isInteractive: false, width: undefined }),
});
const text = `# The command line

What \`drover help COMMAND\` prints, for every command.

## Exit codes

${exitCodes.map(({ code, meaning }) => `- \`${code}\`: ${meaning}`).join("\n")}

${everyCommand(program).map(section).join("\n\n")}
`;

if (!process.argv.includes("--check")) writeFileSync(file, text);
else if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
  console.error("Out of date: docs/cli.md. Run: node scripts/generate-cli-docs.ts");
  process.exitCode = 1;
}

function everyCommand(command: Command): Command[] {
  const visible = command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== "help");
  return [command, ...visible.flatMap(everyCommand)];
}

function section(command: Command): string {
  return `## ${nameOf(command)}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\``;
}

function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();
}

function helpOf(command: Command): string {
  let help = "";
  command
    .configureHelp({ showGlobalOptions: false })
    .configureOutput({ writeOut: (part) => (help += part), getOutHelpWidth: () => HELP_WIDTH, getOutHasColors: () => false });
  command.outputHelp();
  return help.trim();
}
