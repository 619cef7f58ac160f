import { AppError } from "../base/errors.ts";

/** Names that sh may hand to the command as they are. The ones it gives a meaning of its own (in sh, dash or bash) are kept from it. */
const PLAIN_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/u;
const SHELL_NAME =
  /^(?:_|ATTY|BASH.*|COMP.*|DIRSTACK|ENV|EPOCH.*|EUID|FUNC.*|GROUPS|HIST.*|HOST.*|IFS|LINENO|MACHTYPE|MAIL.*|MAPFILE|OLDPWD|OPT.*|OSTYPE|PIPESTATUS|POSIXLY_CORRECT|PPID|PS\d|PWD|RANDOM|REPLY|SECONDS|SHELLOPTS|SHLVL|SRANDOM|UID)$/u;

export interface ScriptOptions {
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** What sh is to source first. */
  readonly prologue: string;
}

/**
 * The sh script that becomes a command: exactly this argv, environment and folder, whatever characters they hold. Values
 * of the environment are exported by sh, so they never show in a list of processes; only names that sh could not export
 * go through `env`. Throws `invalid` for what no Unix process can be given.
 */
export function commandScript({ argv, cwd, env, prologue }: ScriptOptions): string {
  const variables = Object.entries(env);
  for (const text of [...argv, cwd, ...variables.flat()]) {
    if (text.includes("\0")) throw new AppError("invalid", "A command's arguments, folder and environment cannot hold a NUL character.");
  }
  const unnamed = variables.find(([name]) => name === "" || name.includes("="));
  if (unnamed) throw new AppError("invalid", `"${unnamed[0]}" cannot be the name of an environment variable.`);
  if (argv[0].includes("=")) throw new AppError("invalid", `A program's name cannot hold a "=": ${argv[0]}.`);
  const plain = variables.filter(([name]) => isPlain(name));
  const rest = variables.filter(([name]) => !isPlain(name)).map(([name, value]) => quote(`${name}=${value}`));
  return [
    `. ${quote(prologue)}`,
    `cd -- ${quote(cwd)} || exit 126`,
    // What sh itself brought along.
    "unset PATH PWD OLDPWD SHLVL",
    ...plain.map(([name, value]) => `export ${name}=${quote(value)}`),
    ["exec", ...(rest.length > 0 ? ["/usr/bin/env --", ...rest] : []), ...argv.map(quote)].join(" "),
    "",
  ].join("\n");
}

function isPlain(name: string): boolean {
  return PLAIN_NAME.test(name) && !SHELL_NAME.test(name);
}

/** One word of sh, whatever it holds but NUL. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
