import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import { runCommand, type CommandResult } from "../process/command.ts";
import type { HeldCommand } from "../process/host.ts";
import { commandScript } from "../process/script.ts";
import type { Availability, Isolation, WrapRequest } from "./isolation.ts";

export interface TmuxOptions {
  readonly clock: Clock;
  /** Names this daemon among the others of the machine. */
  readonly scope: string;
  /** The PATH on which tmux is found. */
  readonly path: string;
}

const PROGRAM = fileURLToPath(new URL("tmux-program.sh", import.meta.url));
const AGENT = fileURLToPath(new URL("tmux-agent.sh", import.meta.url));
/** The first with `-N`. */
const OLDEST: readonly [number, number] = [3, 2];
const SESSION = "drover";
const WITHIN_MS = 20_000;

/** A window, and the run whose agent is in it. */
interface Window {
  readonly id: string;
  readonly marker: string;
}

/**
 * A window for each agent on a tmux server of our own, for people who want to look in. It is no more than that: streams,
 * status and end are those of the held command. Only an agent that is to have a terminal has the window's; its status and
 * end are the held command's too, and what is on the screen is never read. A server or a window that goes fails its runs as any crash does. The
 * server is started by the daemon, never by a run, whose end would be its own; it goes with the last window.
 */
export class Tmux implements Isolation {
  readonly name = "tmux";
  readonly confines = false;
  readonly hasTerminal = true;
  readonly #options: TmuxOptions;
  readonly #socket: string;
  /** Where tmux puts that socket, for it gets no TMUX_TMPDIR of ours. Without it there is no server, and none has to be asked. */
  readonly #socketFile: string;
  /** Of runs that were given a window, or soon have one. */
  readonly #live = new Set<string>();

  constructor(options: TmuxOptions) {
    this.#options = options;
    this.#socket = `drover-${options.scope}`;
    this.#socketFile = `/tmp/tmux-${process.getuid?.()}/${this.#socket}`;
  }

  bringsAgent(): boolean {
    return false;
  }

  async detect(signal: AbortSignal): Promise<Availability> {
    const install = `Install tmux ${OLDEST.join(".")} or newer.`;
    try {
      const { stdout } = await this.#run(["-V"], signal);
      const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/u.exec(stdout) ?? []).map(Number);
      const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
      return isOld ? { available: false, message: `This is ${stdout.trim()}. ${install}` } : { available: true, version: stdout.trim() };
    } catch (thrown) {
      if (signal.aborted || !(thrown instanceof AppError)) throw thrown;
      return { available: false, message: install };
    }
  }

  async wrap({ command, title, terminal }: WrapRequest, signal: AbortSignal): Promise<HeldCommand> {
    const { directory, argv, cwd, marker } = command;
    this.#live.add(marker);
    await this.#startServer(signal);
    const own = `${directory}-tmux`;
    const env = { ...command.env, DROVER_RUN: marker, DROVER_SCOPE: this.#options.scope };
    const script = commandScript({ argv, cwd, env, prologue: AGENT });
    return {
      ...command,
      argv: ["/bin/sh", PROGRAM, this.#socket, windowName(title), own, directory, terminal ? "terminal" : "screen"],
      cwd: dirname(directory),
      env: { PATH: this.#options.path },
      files: { ...command.files, [join(own, "command")]: script },
    };
  }

  async release(marker: string): Promise<void> {
    this.#live.delete(marker);
    const windows = await this.#windows();
    for (const window of windows) if (window.marker === marker) await this.#run(["kill-window", "-t", window.id]);
    await this.#endIdleServer();
  }

  async sweep(isWanted: (marker: string) => boolean): Promise<string[]> {
    const unwanted = (await this.#windows()).filter(({ marker }) => !isWanted(marker));
    for (const { id } of unwanted) await this.#run(["kill-window", "-t", id]);
    for (const marker of this.#live) if (!isWanted(marker)) this.#live.delete(marker);
    await this.#endIdleServer();
    return [...new Set(unwanted.map(({ marker }) => marker))];
  }

  /** The command that shows a person the window of a run; undefined: it has none. */
  async attach(marker: string, isReadOnly: boolean): Promise<string[] | undefined> {
    const window = (await this.#windows()).find((one) => one.marker === marker);
    if (window === undefined) return undefined;
    return ["tmux", "-L", this.#socket, "attach-session", ...(isReadOnly ? ["-r"] : []), "-t", `=${SESSION}:${window.id}`];
  }

  async #startServer(signal: AbortSignal): Promise<void> {
    const settings = ["set-option -s exit-empty off", "set-option -s set-clipboard off", "set-option -g allow-rename off"];
    const words = ["start-server", ...settings, "set-option -g automatic-rename off", "set-option -g history-limit 5000"];
    const { exitCode, stderr } = await this.#run(words.join(" ; ").split(" "), signal);
    if (exitCode !== 0) {
      const message = `The tmux server ${this.#socket} could not be started: ${stderr.trim()}`;
      throw new AppError("unavailable", message, { reason: "isolation_failed" });
    }
  }

  async #endIdleServer(): Promise<void> {
    if (this.#live.size > 0 || !existsSync(this.#socketFile)) return;
    if ((await this.#windows()).length === 0) await this.#run(["kill-server"]);
  }

  /** None where there is no server. */
  async #windows(): Promise<Window[]> {
    if (!existsSync(this.#socketFile)) return [];
    let listed: CommandResult;
    try {
      listed = await this.#run(["list-panes", "-a", "-F", "#{window_id} #{pane_start_command}"]);
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.code === "unavailable") return []; // no tmux here, so no window either
      throw thrown;
    }
    return listed.stdout.split("\n").flatMap((line) => {
      const { id, marker } = /^(?<id>@\d+) .*\bDROVER_RUN=(?<marker>[\w.:-]+)/u.exec(line)?.groups ?? {};
      return id !== undefined && marker !== undefined ? [{ id, marker }] : [];
    });
  }

  #run(args: readonly string[], signal: AbortSignal = new AbortController().signal): Promise<CommandResult> {
    const { clock, path } = this.#options;
    const options = { cwd: "/", env: { PATH: path, LC_ALL: "C.UTF-8" }, timeoutMs: WITHIN_MS, maxOutputBytes: 2 ** 20, clock, signal };
    return runCommand(["tmux", "-L", this.#socket, "-f", "/dev/null", ...args], options);
  }
}

/** Without what tmux would take for a target or a format. */
function windowName(title: string): string {
  return title
    .replaceAll(/[^\w.-]+/gu, "-")
    .replaceAll(".", "_")
    .slice(0, 60);
}
