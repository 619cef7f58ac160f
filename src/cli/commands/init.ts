import { resolve } from "node:path";
import { initProject, type ProjectFacts } from "../../config/project-folder.ts";
import type { Cli } from "../cli.ts";
import { repositoryRoot } from "../repository-root.ts";
import { painted, show } from "../../words/shown.ts";

export interface InitOptions {
  readonly repository?: string;
  readonly label?: string[];
  readonly language?: string;
}

/** Makes a project's `.drover` folder, with the checks that its files suggest. */
export function init(cli: Cli, folder: string | undefined, { repository, label, language }: InitOptions): void {
  const facts: ProjectFacts = {
    ...(repository !== undefined && { repository }),
    ...(label !== undefined && { labels: label }),
    ...(language !== undefined && { language }),
  };
  const root = repositoryRoot(resolve(cli.cwd, folder ?? "."));
  const made = initProject(root, facts);
  if (cli.isJson) return cli.terminal.printJson(made);
  cli.terminal.print(show`Made ${painted("cyan", made.file)}.`);
  if (made.setup !== null) cli.terminal.print(show`Set-up  ${made.setup}`);
  for (const check of made.checks) cli.terminal.print(show`Check   ${check}`);
  if (made.checks.length === 0)
    cli.terminal.note(
      show`${painted("yellow", "!")} No check was found. Without one nothing proves that a change works: add it under "checks".`,
    );
  cli.terminal.note(show`Next: drover project register ${root}`);
}
