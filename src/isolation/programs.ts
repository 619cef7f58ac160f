import { realpath, stat } from "node:fs/promises";
import { basename, delimiter, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { WrapRequest } from "./isolation.ts";

/** What of this machine a command runs. */
export interface FoundPrograms {
  /** The command with real paths in the place of programs that are not every system's. */
  readonly argv: readonly [string, ...string[]];
  /** What has to be there for them to run: a file alone, or the package that it is part of with those around it. */
  readonly files: readonly string[];
}

/** What the system's own folders hold is there in any system. */
const OF_THE_SYSTEM = /^\/(?:usr\/)?s?bin\//u;
/** Programs of ours that a driver puts before its agent need all of us. */
const OURS = fileURLToPath(new URL("..", import.meta.url));

/** Where the programs of a request are. Its words are looked up by name only for the agent's own: others may be anybody's. */
export async function findPrograms({ command, reach }: Pick<WrapRequest, "command" | "reach">): Promise<FoundPrograms> {
  const found = new Map<string, string>();
  for (const word of [command.argv[0], ...reach.programs]) {
    const file = await fileOf(word, command.env["PATH"] ?? "");
    if (file === undefined || OF_THE_SYSTEM.test(file)) continue;
    // A driver names its program as on a command line, wherever it was found.
    for (const name of [word, basename(word)]) found.set(name, file);
  }
  const [program, ...args] = command.argv.map((word) => found.get(word) ?? word);
  const ours = [...command.argv, ...reach.programs].some((word) => word.startsWith(OURS))
    ? await existing([packageOf(OURS), ...["node_modules", "package.json"].map((name) => join(OURS, "..", name))])
    : [];
  return { argv: [program ?? command.argv[0], ...args], files: [...new Set([...[...found.values()].map(packageOf), ...ours])] };
}

async function fileOf(program: string, path: string): Promise<string | undefined> {
  const folders = program.includes("/") ? [""] : path.split(delimiter).filter(isAbsolute);
  for (const folder of folders) {
    const [found] = await existing([join(folder, program)]);
    if (found !== undefined && (await stat(found)).isFile()) return found;
  }
  return undefined;
}

/** A file of an installed package needs the packages around it. */
function packageOf(file: string): string {
  const at = file.indexOf("/node_modules/");
  return at === -1 ? file : join(file.slice(0, at), "node_modules");
}

/** The real paths of those that are there, each once. */
export async function existing(paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(paths.map((path) => realpath(path).catch(() => undefined)));
  return [...new Set(found.filter((path) => path !== undefined))];
}
