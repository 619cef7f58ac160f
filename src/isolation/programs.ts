import { realpath, stat } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";

/** A command's program on this machine, and what else has to be there for it to run. */
export interface FoundProgram {
  /** Its real path; undefined: there is none. */
  readonly program: string | undefined;
  /** The program, or the package that it is part of; and the script that it is to interpret. */
  readonly files: readonly string[];
}

export async function programFiles([program = "", script = ""]: readonly string[], path: string): Promise<FoundProgram> {
  const folders = path.split(delimiter).filter(isAbsolute);
  const [found] = await files(program.includes("/") ? [program] : folders.map((folder) => join(folder, program)));
  const scripts = isAbsolute(script) ? await files([script]) : [];
  return { program: found, files: [...(found === undefined ? [] : [found]), ...scripts].map(packageOf) };
}

/** A file of an installed package needs the packages around it. */
function packageOf(file: string): string {
  const at = file.indexOf("/node_modules/");
  return at === -1 ? file : join(file.slice(0, at), "node_modules");
}

/** The real paths of those that are files. */
async function files(paths: readonly string[]): Promise<string[]> {
  const found = await existing(paths);
  const are = await Promise.all(found.map(async (path) => (await stat(path)).isFile()));
  return found.filter((_path, index) => are[index]);
}

/** The real paths of those that are there, each once. */
export async function existing(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map((path) => realpath(path).catch(() => undefined)));
  return [...new Set(found.filter((path) => path !== undefined))];
}
