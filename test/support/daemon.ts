import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { createClient, type Client } from "../../src/client/client.ts";
import type { Event } from "../../src/contract/event.ts";
import { endedStatuses, type TaskStatus } from "../../src/contract/task.ts";
import type { TaskDetail } from "../../src/contract/routes.ts";
import { openHost } from "./agent-run.ts";

const main = fileURLToPath(new URL("../../src/daemon/main.ts", import.meta.url));

/** A home of its own, with a configuration, for daemons of a test one after another. Removed at the end with all in it. */
export class TestHome implements AsyncDisposable {
  readonly folder: string;
  readonly home: string;
  readonly env: Record<string, string> = {};
  readonly #daemons = new Set<TestDaemon>();

  private constructor(folder: string) {
    this.folder = folder;
    this.home = join(folder, "home");
  }

  /** @param config the home's `config.yaml`, as an object; the port is always a free one. */
  static async make(config: { daemon?: Record<string, unknown>; [section: string]: unknown } = {}): Promise<TestHome> {
    const test = new TestHome(await mkdtemp(join(tmpdir(), "drover-test-")));
    await mkdir(test.home, { mode: 0o700 });
    const daemon = { port: 0, tickMs: 1000, ...config.daemon };
    // Written out, where two settings are one object here.
    const text = stringify({ version: 1, ...config, daemon }, { aliasDuplicateObjects: false });
    await writeFile(join(test.home, "config.yaml"), text);
    return test;
  }

  /** @param entry another program than the daemon's own, which starts one. */
  async start(entry: string = main, args: readonly string[] = []): Promise<TestDaemon> {
    const daemon = await TestDaemon.start(this, entry, args);
    this.#daemons.add(daemon);
    return daemon;
  }

  /** Also ends what the agents of a daemon that was killed still do. */
  async [Symbol.asyncDispose](): Promise<void> {
    const running = [...this.#daemons].filter((daemon) => daemon.isRunning);
    await Promise.all(running.map((daemon) => daemon.kill()));
    const host = openHost(this.home);
    await host.sweep(() => false);
    await host.close();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A daemon that ended before it was ready. */
export class DaemonRefusal extends Error {
  readonly exitCode: number | null;
  /** On its stderr. */
  readonly said: string;

  constructor(exitCode: number | null, said: string) {
    super(`The daemon ended before it was ready (${exitCode}): ${said}`);
    this.exitCode = exitCode;
    this.said = said;
  }
}

/** A real daemon in a process of its own. */
export class TestDaemon {
  readonly pid: number;
  readonly url: string;
  readonly client: Client;
  /** Resolves with the exit code; null: killed. */
  readonly exited: Promise<number | null>;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, url: string, token: string, exited: Promise<number | null>) {
    this.#process = process;
    this.pid = process.pid ?? 0;
    this.url = url;
    this.exited = exited;
    this.client = createClient({ url, token });
  }

  static async start(test: TestHome, entry: string, args: readonly string[]): Promise<TestDaemon> {
    const compiled = { NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] };
    const env = { PATH: process.env["PATH"], HOME: test.folder, LANG: "C.UTF-8", DROVER_HOME: test.home, ...compiled, ...test.env };
    const child = spawn(process.execPath, [entry, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    const exited = once(child, "close").then(([code]) => code as number | null);
    let errors = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    const line = await firstLine(child);
    if (line === undefined) throw new DaemonRefusal(await exited, errors);
    const { url } = JSON.parse(line) as { url: string };
    const { token } = JSON.parse(await readFile(join(test.home, "auth.json"), "utf8")) as { token: string };
    return new TestDaemon(child, url, token, exited);
  }

  get isRunning(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** As a crash would: no chance to clean up. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.exited;
  }

  async stop(mode: "stop" | "drain" | "kill" = "stop"): Promise<number | null> {
    await this.client.stopDaemon({ body: { mode } });
    return this.exited;
  }

  /** Follows the events from the first one until `found` says so; returns all up to there. */
  async until(found: (event: Event) => boolean): Promise<Event[]> {
    const events: Event[] = [];
    const stop = new AbortController();
    for await (const event of this.client.streamEvents({ query: { after: 0 }, signal: stop.signal })) {
      events.push(event);
      if (found(event)) break;
    }
    stop.abort();
    return events;
  }

  /** The task once it has one of the statuses. */
  async taskWith(task: string, ...statuses: TaskStatus[]): Promise<TaskDetail> {
    const now = await this.client.getTask({ params: { task } });
    if (statuses.includes(now.status)) return now;
    await this.until((event) => event.type === "task.status_changed" && event.taskId === now.id && statuses.includes(event.data.to));
    return this.client.getTask({ params: { task } });
  }

  /** The task once it has ended and all that follows from it outside is done; it may still be to come. Rejects with the signal's reason. */
  async settledTask(key: string, signal?: AbortSignal): Promise<TaskDetail> {
    const stop = new AbortController();
    const signals = AbortSignal.any([stop.signal, ...(signal ? [signal] : [])]);
    try {
      for await (const { type, taskId } of this.client.streamEvents({ query: { after: 0 }, signal: signals })) {
        if (taskId === null || !["task.status_changed", "effect.done", "effect.failed"].includes(type)) continue;
        const task = await this.client.getTask({ params: { task: taskId }, signal: signals });
        if (task.key === key && hasEnded(task) && !task.effects.some(({ status }) => status === "pending")) return task;
      }
      throw new Error(`The daemon ended before ${key} had.`);
    } finally {
      stop.abort();
    }
  }
}

function hasEnded({ status }: TaskDetail): boolean {
  return (endedStatuses as readonly TaskStatus[]).includes(status);
}

async function firstLine(child: ChildProcess): Promise<string | undefined> {
  if (!child.stdout) throw new Error("The daemon has no stdout.");
  for await (const line of createInterface({ input: child.stdout })) return line;
  return undefined;
}
