import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { sleep, type Clock } from "../base/clock.ts";
import { AppError, messageOf } from "../base/errors.ts";
import { homePaths } from "../base/paths.ts";
import { createClient, type Client } from "../client/client.ts";
import { AgentConfig } from "../contract/config.ts";
import { ProviderConfig } from "../contract/provider.ts";
import type { ModelServer } from "./model-server.ts";

const STOP_TIMEOUT_MS = 15_000;
const daemonProgram = join(import.meta.dirname, "..", "daemon", "main.ts");

/** A project as a person would have it. */
export interface SampleProject {
  readonly name: string;
  /** The folder with its files. */
  readonly files: string;
  /** A folder with files that a branch `change` lays over them; null: there is no such branch. */
  readonly change: string | null;
}

/** Drover's own agent, that asks a scripted model: all that it needs of a configuration. */
export function scriptedAgent(model: ModelServer): Pick<PlaygroundOptions, "agent" | "providers"> {
  return {
    // Its commands are known, and not every machine has a sandbox for them.
    agent: AgentConfig.parse({ driver: "builtin", model: "scripted/demo-1", permissions: "all" }),
    providers: { scripted: ProviderConfig.parse({ kind: "anthropic", baseUrl: `${model.address}/v1` }) },
  };
}

export interface PlaygroundOptions {
  readonly project: SampleProject;
  /** The agent that does the work, and what of the environment it is started in. */
  readonly agent: AgentConfig;
  /** Where its models are, besides the usual places. */
  readonly providers: Readonly<Record<string, ProviderConfig>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Leave the folder behind. */
  readonly keep: boolean;
  readonly clock: Clock;
}

/** A folder of its own with a sample project and a Drover home, and the real daemon in a process. Its end takes all of it away. */
export class Playground implements AsyncDisposable {
  readonly folder: string;
  readonly project: string;
  readonly home: string;
  readonly #options: PlaygroundOptions;
  #daemon: ChildProcess | undefined;
  #client: Client | undefined;

  private constructor(folder: string, options: PlaygroundOptions) {
    this.folder = folder;
    this.project = join(folder, options.project.name);
    this.home = join(folder, "home");
    this.#options = options;
  }

  static async make(options: PlaygroundOptions): Promise<Playground> {
    const playground = new Playground(await mkdtemp(join(tmpdir(), "drover-demo-")), options);
    try {
      await Promise.all([playground.#makeProject(), playground.#makeHome()]);
      return playground;
    } catch (thrown) {
      await playground[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  /** Starts the daemon and returns a client of it. Throws `unavailable` with the daemon's own words when it does not start. */
  async startDaemon(): Promise<Client> {
    // A group of its own: ^C is for the demo, which then stops the daemon in order.
    const env = this.#environment();
    this.#daemon = spawn(process.execPath, [daemonProgram], { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const url = await addressFrom(this.#daemon);
    const { token } = JSON.parse(await readFile(homePaths(this.home).auth, "utf8")) as { token: string };
    this.#client = createClient({ url, token, actor: "cli" });
    return this.#client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stopDaemon();
    if (!this.#options.keep) await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #makeProject(): Promise<void> {
    const { files, change } = this.#options.project;
    await cp(files, this.project, { recursive: true });
    const run = async (...commands: readonly (readonly string[])[]) => {
      for (const command of commands) await git(this.project, this.#options.env["PATH"], command);
    };
    const commit = (message: string) => [
      ["add", "--all"],
      ["commit", "--quiet", "--message", message],
    ];
    await run(["init", "--quiet", "--initial-branch=main"], ...commit("The project as it is"));
    if (change === null) return;
    await run(["switch", "--quiet", "--create", "change"]);
    await cp(change, this.project, { recursive: true });
    await run(...commit("A change"), ["switch", "--quiet", "main"]);
  }

  async #makeHome(): Promise<void> {
    await mkdir(this.home, { mode: 0o700 });
    const config = {
      version: 1,
      daemon: { port: 0 },
      agents: { demo: this.#options.agent },
      providers: this.#options.providers,
      defaults: { agent: "demo", retryAttempts: 1 },
    };
    // YAML contains JSON.
    await writeFile(homePaths(this.home).config, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
  }

  /** The person's environment without settings for their own Drover, and this Node.js first, for the sample's tests. */
  #environment(): Record<string, string | undefined> {
    const own = Object.entries(this.#options.env).filter(([name]) => !name.startsWith("DROVER_") && name !== "NODE_OPTIONS");
    const path = [dirname(process.execPath), this.#options.env["PATH"] ?? ""].join(delimiter);
    return { ...Object.fromEntries(own), PATH: path, DROVER_HOME: this.home };
  }

  async #stopDaemon(): Promise<void> {
    const daemon = this.#daemon;
    if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return;
    const giveUp = new AbortController();
    const exited = once(daemon, "exit", { signal: giveUp.signal }).then(() => true);
    const tooLate = sleep(this.#options.clock, STOP_TIMEOUT_MS, giveUp.signal).then(() => false);
    // By a signal alone, agents would be left to the next daemon.
    const asked = this.#client?.stopDaemon({ body: { mode: "kill" }, signal: giveUp.signal }) ?? Promise.reject(new Error("no address"));
    asked.catch(() => daemon.kill("SIGTERM"));
    if (!(await Promise.race([exited, tooLate]))) daemon.kill("SIGKILL");
    giveUp.abort();
    await Promise.allSettled([exited, tooLate, asked]);
  }
}

async function addressFrom(child: ChildProcess): Promise<string> {
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (errors += text));
  if (child.stdout) {
    for await (const line of createInterface({ input: child.stdout })) {
      child.stdout.resume();
      return (JSON.parse(line) as { url: string }).url;
    }
  }
  throw new AppError("unavailable", `The daemon did not start: ${errors.trim() || "it said nothing."}`);
}

async function git(folder: string, path: string | undefined, args: readonly string[]): Promise<void> {
  // Nothing of the person's git configuration: it may sign commits, run hooks, or name nobody.
  const env = {
    PATH: path,
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: "Demo",
    GIT_AUTHOR_EMAIL: "demo@localhost",
    GIT_COMMITTER_NAME: "Demo",
    GIT_COMMITTER_EMAIL: "demo@localhost",
  };
  try {
    await promisify(execFile)("git", args, { cwd: folder, env });
  } catch (cause) {
    throw new AppError("unavailable", `The demo needs git, and \`git ${args[0]}\` failed: ${messageOf(cause)}`, { cause });
  }
}
