/**
 * Holds the documents to the code: what is generated is up to date (each `scripts/generate-*.ts` run with `--check`), every link to a
 * file or a heading of this repository leads somewhere, and every `drover` command and npm script that is named exists.
 */
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import type { Command } from "commander";
import packageFile from "../package.json" with { type: "json" };
import { systemClock } from "../src/base/clock.ts";
import { createProgram } from "../src/cli/program.ts";
import { Terminal } from "../src/cli/terminal.ts";

const documents = globSync(["*.md", "docs/**/*.md"]);
const program = createProgram({
  env: {},
  cwd: "/",
  homeDirectory: "/",
  clock: systemClock,
  signal: new AbortController().signal,
  terminal: () => new Terminal({ out: process.stdout, err: process.stderr, hasColor: false, isInteractive: false, width: undefined }),
});
const problems = [
  ...globSync("scripts/generate-*.ts").flatMap(stale),
  ...documents.flatMap(brokenLinks),
  ...documents.flatMap(unknownCommands),
];
for (const problem of problems) console.error(problem);
console.log(`${documents.length} documents looked at, ${problems.length} problems.`);
process.exitCode = problems.length > 0 || documents.length === 0 ? 1 : 0;

function stale(script: string): string[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  return status === 0 ? [] : [`${script} --check failed: ${stdout}${stderr}`.trim()];
}

function brokenLinks(document: string): string[] {
  const text = readFileSync(document, "utf8").replace(/```[\s\S]*?```/gu, "");
  return [...text.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/gu)].flatMap(([, path = "", heading]) => {
    const target = path === "" ? document : normalize(join(dirname(document), path));
    if (!existsSync(target)) return [`${document} links to ${path}, which does not exist.`];
    if (heading === undefined || headingsOf(target).includes(heading)) return [];
    return [`${document} links to ${path}#${heading}, but there is no such heading.`];
  });
}

/** The anchors GitHub makes of a document's headings. */
function headingsOf(document: string): string[] {
  return [...readFileSync(document, "utf8").matchAll(/^#+ (.+)$/gmu)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

function unknownCommands(document: string): string[] {
  const text = readFileSync(document, "utf8");
  const blocks = [...text.matchAll(/```(?:sh|console)\n([\s\S]*?)```/gu)].flatMap(([, block = ""]) => block.split("\n"));
  const inline = [...text.replace(/```[\s\S]*?```/gu, "").matchAll(/`([^`\n]+)`/gu)].map(([, code = ""]) => code);
  const commands = [...blocks, ...inline].flatMap((line) => line.replace(/\s#.*$/u, "").split(/&&|\||;/u));
  return commands.flatMap((command) => {
    const [name = "", ...words] = command
      .replaceAll(/'[^']*'/gu, "TEXT")
      .trim()
      .split(/\s+/u);
    const problem = name === "npm" ? problemOfScript(words) : /^(?:\.\/)?drover$/u.test(name) ? problemOfCommand(words) : undefined;
    return problem === undefined ? [] : [`${document}: \`${command.trim()}\`: ${problem}`];
  });
}

function problemOfScript([verb, name]: readonly string[]): string | undefined {
  return verb === "run" && name !== undefined && !(name in packageFile.scripts) ? `there is no script ${name}.` : undefined;
}

function problemOfCommand(words: readonly string[]): string | undefined {
  let command: Command = program;
  const options = new Set(["--help"]);
  const learn = () => command.options.forEach(({ long, short }) => options.add(long ?? "").add(short ?? ""));
  learn();
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word);
    if (next) command = next;
    else if (!word.startsWith("-") && command.commands.length > 0 && command.registeredArguments.length === 0)
      return `there is no command ${word}.`;
    learn();
    const option = word.split("=", 1)[0] ?? "";
    if (word.startsWith("-") && !options.has(option)) return `there is no option ${option}.`;
  }
  return undefined;
}
