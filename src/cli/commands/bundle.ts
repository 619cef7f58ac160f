import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { AppError } from "../../base/errors.ts";
import { slug } from "../../base/text.ts";
import type { Cli } from "../cli.ts";
import { painted, show } from "../../words/shown.ts";

/** Writes the files of a task's bundle to a folder, which must be new. */
export async function bundle(cli: Cli, named: string, folder: string | undefined): Promise<void> {
  const { task, files } = await (await cli.connect()).getTaskBundle({ params: { task: named }, signal: cli.signal });
  const path = resolve(cli.cwd, folder ?? `drover-${slug(task)}`);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (cause) {
    throw new AppError("conflict", `${path} can't be made: it exists already, or the folder around it does not.`, { cause });
  }
  for (const { name, text } of files) {
    mkdirSync(dirname(join(path, name)), { recursive: true, mode: 0o700 });
    writeFileSync(join(path, name), text, { mode: 0o600 });
  }
  if (cli.isJson) return cli.terminal.printJson({ task, path, files: files.map(({ name }) => name) });
  cli.terminal.print(show`${painted("bold", task)}: ${files.length} files in ${painted("cyan", path)}.`);
}
