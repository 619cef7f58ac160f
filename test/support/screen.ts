import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { vi } from "vitest";

/** A slow machine too has shown by then what it will show at all. */
const WITHIN = { timeout: 30_000, interval: 100 };

export interface ScreenOptions {
  /** A folder of the test, for tmux's socket. */
  readonly folder: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly columns?: number;
  readonly rows?: number;
}

/** A program in a real terminal: a window of a tmux server of the test's own. */
export class Screen implements Disposable {
  static #opened = 0;
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  static open({ folder, command, cwd, env, columns = 80, rows = 24 }: ScreenOptions): Screen {
    const screen = new Screen(join(folder, `tmux-${++Screen.#opened}`));
    const unset = Object.keys(env).filter((name) => env[name] === undefined);
    const variables = ["TMUX", ...unset].flatMap((name) => ["-u", name]);
    for (const [name, value] of Object.entries(env)) if (value !== undefined) variables.push(`${name}=${value}`);
    const size = ["-x", String(columns), "-y", String(rows)];
    // What is on the screen when the program has ended stays.
    screen.#tmux(
      "start-server",
      ";",
      "set-option",
      "-g",
      "remain-on-exit",
      "on",
      ";",
      "new-session",
      "-d",
      ...size,
      "-c",
      cwd,
      "--",
      "env",
      ...variables,
      ...command,
    );
    return screen;
  }

  /** What is to be seen, a line a line. */
  get text(): string {
    return this.#tmux("capture-pane", "-p");
  }

  /** The same with its colours, as control sequences. */
  get painted(): string {
    return this.#tmux("capture-pane", "-p", "-e");
  }

  /** Waits until the program has ended. */
  isLeft(): Promise<void> {
    return this.#until(() => (this.#tmux("display-message", "-p", "#{pane_dead}").trim() === "1" ? undefined : "is still the program's"));
  }

  /** Types a text as it is. */
  type(text: string): void {
    this.#tmux("send-keys", "-l", "--", text);
  }

  /** Presses keys by tmux's names: `Enter`, `Escape`, `PageDown`, `a`. */
  press(...keys: string[]): void {
    this.#tmux("send-keys", "--", ...keys);
  }

  resize(columns: number, rows: number): void {
    this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** Waits until each of the texts is on the screen. */
  async sees(...texts: (string | RegExp)[]): Promise<void> {
    await this.#until(() => {
      const { text } = this;
      const missing = texts.find((wanted) => (typeof wanted === "string" ? !text.includes(wanted) : !wanted.test(text)));
      return missing === undefined ? undefined : `does not show ${String(missing)}`;
    });
  }

  async seesNoMore(text: string): Promise<void> {
    await this.#until(() => (this.text.includes(text) ? `still shows ${text}` : undefined));
  }

  /** @param objection what there is against the screen as it is; undefined: nothing any more. */
  #until(objection: () => string | undefined): Promise<void> {
    const look = () => {
      const against = objection();
      if (against !== undefined) throw new Error(`The screen ${against}:\n${this.text}`);
    };
    return vi.waitFor(look, WITHIN);
  }

  #tmux(...args: string[]): string {
    return execFileSync("tmux", ["-S", this.#socket, "-f", "/dev/null", ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  }

  [Symbol.dispose](): void {
    try {
      this.#tmux("kill-server");
    } catch {
      // It ended with its program.
    }
  }
}
