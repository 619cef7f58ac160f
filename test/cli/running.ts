import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { examples } from "../../src/api/examples.ts";
import { systemClock } from "../../src/base/clock.ts";
import { runCli } from "../../src/cli/run-cli.ts";
import { Terminal } from "../../src/cli/terminal.ts";
import { serve, token, type Serving } from "../api/serving.ts";

export const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** When it is for a command that is run here: three minutes after what the examples tell of. */
export const now = examples.getTask.response.createdAt + 180_000;

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Place extends AsyncDisposable {
  /** A folder that is removed in the end; `home` and `folder` are in it. */
  readonly root: string;
  readonly home: string;
  /** Where commands are run. */
  readonly folder: string;
  /** A command line, in this process. */
  run(
    words: readonly string[],
    more?: { env?: Record<string, string>; folder?: string; hasColor?: boolean; width?: number; signal?: AbortSignal },
  ): Promise<Ran>;
  /** The same in a process of its own, as a shell starts it. */
  spawn(words: readonly string[], more?: { env?: Record<string, string>; input?: string; folder?: string }): Promise<Ran>;
}

/** A home without a daemon. */
export function place(): Place {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "drover-cli-")));
  const [home, folder] = [join(root, "home"), join(root, "folder")];
  mkdirSync(home);
  mkdirSync(folder);
  const environment = (env: Record<string, string> = {}) => ({ ...process.env, TZ: "UTC", DROVER_HOME: home, ...env });
  return {
    root,
    home,
    folder,
    async run(words, { env, folder: cwd = folder, hasColor = false, width, signal = new AbortController().signal } = {}) {
      const [out, err] = [new Written(), new Written()];
      const terminal = () => new Terminal({ out, err, hasColor, isInteractive: false, width });
      const code = await runCli(words, {
        env: environment(env),
        cwd,
        homeDirectory: home,
        clock: { ...systemClock, now: () => now },
        signal,
        terminal,
      });
      return { code, out: out.text, err: err.text };
    },
    async spawn(words, { env, input = "", folder: cwd = folder } = {}) {
      const child = spawn(process.execPath, [program, ...words], { cwd, env: environment(env), stdio: "pipe" });
      child.stdin.end(input);
      const [out, err, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, "exit") as Promise<[number | null]>,
      ]);
      return { code, out, err };
    },
    [Symbol.asyncDispose]: () => Promise.resolve(rmSync(root, { recursive: true, force: true })),
  };
}

export interface Served extends Place {
  readonly served: Serving;
}

/** A home whose daemon is an API over a Control in memory. */
export async function servedPlace(): Promise<Served> {
  const served = await serve();
  const at = place();
  writeFileSync(join(at.home, "auth.json"), JSON.stringify({ token }));
  writeFileSync(
    join(at.home, "daemon.pid"),
    JSON.stringify({ pid: process.pid, startTime: startTimeOfSelf(), url: served.url, version: "0.1.0" }),
  );
  return {
    ...at,
    served,
    [Symbol.asyncDispose]: async () => {
      await served.stop();
      await at[Symbol.asyncDispose]();
    },
  };
}

/** Keeps what is written to it. */
class Written extends Writable {
  text = "";

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

function startTimeOfSelf(): string | undefined {
  const stat = readFileSync("/proc/self/stat", "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}
