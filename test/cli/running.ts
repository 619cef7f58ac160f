import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { serve, token, type Serving } from "../api/serving.ts";

export const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** The launcher's own, so that a test run is as fast as a person's. */
const compileCache = fileURLToPath(new URL("../../node_modules/.cache/node", import.meta.url));

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
  run(args: readonly string[], more?: { env?: Record<string, string>; input?: string; folder?: string }): Promise<Ran>;
}

/** A home without a daemon, and commands run as a person's shell would. */
export function place(): Place {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "drover-cli-")));
  const [home, folder] = [join(root, "home"), join(root, "folder")];
  mkdirSync(home);
  mkdirSync(folder);
  return {
    root,
    home,
    folder,
    run: (args, { env = {}, input, folder: elsewhere } = {}) => runCommand(args, { home, cwd: elsewhere ?? folder, env, input }),
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

async function runCommand(
  args: readonly string[],
  around: { home: string; cwd: string; env: Record<string, string>; input: string | undefined },
): Promise<Ran> {
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [program, ...args], {
    cwd: around.cwd,
    env: { ...inherited, TZ: "UTC", NODE_COMPILE_CACHE: compileCache, DROVER_HOME: around.home, ...around.env },
    stdio: "pipe",
  });
  child.stdin.end(around.input ?? "");
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit") as Promise<[number | null]>]);
  return { code, out, err };
}

function startTimeOfSelf(): string | undefined {
  const stat = readFileSync("/proc/self/stat", "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}
