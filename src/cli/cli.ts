import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import { homePaths, type HomePaths } from "../base/paths.ts";
import type { Client } from "../client/client.ts";
import type { Terminal } from "./terminal.ts";

/** What a command finds around it when it runs. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly homeDirectory: string;
  readonly clock: Clock;
  /** Aborts when the person interrupts. */
  readonly signal: AbortSignal;
  terminal(options: { color: boolean }): Terminal;
}

/** Options that every command takes. */
export interface GlobalOptions {
  readonly home?: string;
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly color: boolean;
}

/** What each command works with. */
export interface Cli extends Pick<Surroundings, "env" | "cwd" | "clock" | "signal"> {
  readonly paths: HomePaths;
  readonly terminal: Terminal;
  readonly isJson: boolean;
  readonly isYes: boolean;
  /** A client of the daemon of this home. Throws `unavailable` when none runs. `retries`: as of a client's options. */
  connect(options?: { readonly retries?: number }): Promise<Client>;
}

export function openCli(around: Surroundings, options: GlobalOptions): Cli {
  const { env, cwd, clock, signal, homeDirectory } = around;
  const paths = homePaths(options.home ?? env["DROVER_HOME"] ?? `${homeDirectory}/.drover`);
  return {
    env,
    cwd,
    clock,
    signal,
    paths,
    terminal: around.terminal({ color: options.color }),
    isJson: options.json ?? false,
    isYes: options.yes ?? false,
    connect: (more = {}) => connect(paths, more),
  };
}

export const noDaemon = "No daemon runs. Start one with: drover daemon start";

// Loaded only here: reading the route table takes longer than most of what needs no daemon.
async function connect(paths: HomePaths, more: { readonly retries?: number }): Promise<Client> {
  const [{ createClient }, { readDaemonFile, readToken }] = await Promise.all([import("../client/client.ts"), import("./home.ts")]);
  const file = readDaemonFile(paths);
  if (file === undefined) throw new AppError("unavailable", noDaemon);
  return createClient({ url: file.url, token: readToken(paths), actor: "cli", ...more });
}
