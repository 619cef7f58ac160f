import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import { AppError } from "../base/errors.ts";
import type { Client } from "../client/client.ts";
import type { Cli } from "./cli.ts";
import { everyProject } from "./current-project.ts";
import { repositoryRoot } from "./repository-root.ts";
import { show } from "../words/shown.ts";

/** The name of the project that a folder belongs to; one that is not registered is. */
export async function targetProject(cli: Cli, client: Client, folder: string): Promise<string> {
  const root = repositoryRoot(realPath(resolve(cli.cwd, folder), folder));
  const known = (await everyProject(cli, client)).find((project) => project.path === root);
  if (known) return known.name;
  const project = await client.registerProject({ body: { path: root }, signal: cli.signal });
  if (!cli.isJson) cli.terminal.print(show`Registered ${project.name} (${project.path}).`);
  return project.name;
}

function realPath(path: string, named: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw new AppError("invalid", `There is no folder ${named}.`, { cause });
  }
}
