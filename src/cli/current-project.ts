import { realpathSync } from "node:fs";
import { sep } from "node:path";
import { AppError } from "../base/errors.ts";
import type { Client } from "../client/client.ts";
import type { ProjectStatus } from "../contract/routes.ts";
import type { Cli } from "./cli.ts";

/** The project that a command is about: the one that was named, or else the one that the current folder lies in. */
export async function projectName(cli: Cli, client: Client, named: string | undefined): Promise<string> {
  if (named !== undefined) return named;
  const here = `${realpathSync(cli.cwd)}${sep}`;
  const around = (await everyProject(cli, client)).filter(({ path }) => here.startsWith(`${path}${sep}`));
  const nearest = around.toSorted((one, other) => other.path.length - one.path.length)[0];
  if (nearest) return nearest.name;
  throw new AppError("not_found", "This folder is in no registered project. Name one, or register it: drover project register");
}

export async function everyProject(cli: Cli, client: Client): Promise<ProjectStatus[]> {
  const projects: ProjectStatus[] = [];
  let after: string | undefined;
  do {
    const page = await client.listProjects({ query: { limit: 500, after }, signal: cli.signal });
    projects.push(...page.items);
    after = page.next ?? undefined;
  } while (after !== undefined);
  return projects;
}
