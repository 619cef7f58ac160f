import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { AppError, messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { HostOrder } from "../contract/agent-host.ts";
import { Changes } from "./changes.ts";
import { readIdentity, readIfThere, refuseStart, type HeldIdentity } from "./held-folder.ts";
import type { ProcessHost, SharedProgram } from "./host.ts";
import { hostFiles, hostMarker, hostOfMarker } from "./hosted-folder.ts";
import { noLimits } from "./limits.ts";
import { hasCode } from "./system-error.ts";

/** Until a host has begun a run: it may have to be started for it, and load what it is made of, beside much else. */
const BEGUN_WITHIN_MS = 60_000;
/** A host that died under the first try is started anew for the second one. */
const TRIES_MAX = 2;
/** From the end of a run's time of grace until its host has to have ended it. */
const ENDED_WITHIN_MS = 20_000;

export interface AgentHostsParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Where the folders of hosts are. */
  readonly directory: string;
  /** Hosts are held commands themselves. */
  readonly host: Pick<ProcessHost, "start" | "inspect" | "stop">;
  /** Writes to the stdin of a held command. */
  readonly send: (directory: string, text: string) => Promise<void>;
}

/**
 * The agent hosts of this daemon: programs that carry many runs each. New runs go to the one that this daemon started, which is
 * of its own version; those of earlier daemons carry theirs to the end. A run in a host keeps its own held folder, in which
 * the host does what a holder does: it claims it with an identity that is the host's own, and leaves output and exit status there.
 */
export class AgentHosts {
  readonly #parts: AgentHostsParts;
  #current: Promise<string> | undefined;

  constructor(parts: AgentHostsParts) {
    this.#parts = parts;
  }

  /** Has the command of a folder that is made ready begun in a host. When this throws it has not begun, and never will. */
  async begin(directory: string, program: SharedProgram): Promise<HeldIdentity> {
    try {
      for (let tries = 1; tries <= TRIES_MAX; tries++) {
        const identity = await this.#tryBegin(directory, program);
        if (identity !== undefined) return identity;
      }
    } catch (failure) {
      await refuseStart(directory);
      throw failure;
    }
    await refuseStart(directory);
    const late = await readIdentity(directory);
    if (typeof late === "object") return late;
    throw new AppError("unavailable", `The agent host did not begin the run of ${directory}. See err in its folder.`, {
      hosts: this.#parts.directory,
    });
  }

  async tell(host: string, order: HostOrder): Promise<void> {
    // What a daemon that died left of a line must not spoil the next one.
    await this.#parts.send(host, `\n${JSON.stringify(order)}\n`);
  }

  /**
   * Ends the run of a folder, and resolves when it has ended. A host that does not end it in time is ended itself, with all that
   * it carries: in one program there is nothing between asking and that.
   */
  async end(directory: string, host: string, graceMs: number): Promise<void> {
    await this.#orGone(() => this.tell(host, { type: "end", directory }));
    if (await this.#until(directory, graceMs + ENDED_WITHIN_MS, "exit", async () => !(await this.#isRunning(directory)))) return;
    this.#parts.log.error("an agent host did not end a run in time and is ended itself; its other runs go on in another one", {
      directory,
      host,
    });
    await this.#parts.host.stop(host, { marker: hostMarker(idOf(host)), graceMs: 0 });
  }

  /** Ends the runs that nobody wants, lets hosts of earlier daemons go, and forgets those that are gone. Returns the markers of the runs. */
  async sweep(isWanted: (marker: string) => boolean): Promise<string[]> {
    const current = await this.#current?.catch(() => undefined);
    const ended: string[] = [];
    for (const host of await this.#all()) {
      const { state } = await this.#parts.host.inspect(host);
      if (state === "unknown") continue;
      if (state !== "running") {
        if (host !== current) await rm(host, { recursive: true, force: true });
        continue;
      }
      for (const [marker, directory] of await this.carried(host)) {
        if (isWanted(marker)) continue;
        ended.push(marker);
        await this.#orGone(() => this.tell(host, { type: "end", directory }));
      }
      if (host !== current) await this.#orGone(() => this.tell(host, { type: "retire" }));
    }
    return ended;
  }

  /** The markers of the runs that a host carries, with their folders. */
  async carried(host: string): Promise<[marker: string, directory: string][]> {
    const { runs } = hostFiles(host);
    const markers = await namesIn(runs);
    const read = await Promise.all(markers.map(async (marker) => [marker, await readIfThere(join(runs, marker))] as const));
    return read.flatMap(([marker, directory]) => (directory === undefined ? [] : [[marker, directory]]));
  }

  /** The folder of the host that carries this marker; undefined: it is none of ours. */
  ofMarker(marker: string): string | undefined {
    const id = hostOfMarker(marker);
    const host = id === undefined ? undefined : join(this.#parts.directory, id);
    return host !== undefined && existsSync(host) ? host : undefined;
  }

  /** Nothing more is begun in the host of this daemon: it ends with the last run that it carries. */
  async close(): Promise<void> {
    const host = await this.#current?.catch(() => undefined);
    if (host !== undefined) await this.#orGone(() => this.tell(host, { type: "retire" }));
  }

  /** Undefined: the host has ended first. */
  async #tryBegin(directory: string, program: SharedProgram): Promise<HeldIdentity | undefined> {
    const host = await this.#open(program);
    await this.#orGone(() => this.tell(host, { type: "start", directory }));
    const isOver = async () => (await readIdentity(directory)) !== undefined || !(await this.#isRunning(host));
    await this.#until(directory, BEGUN_WITHIN_MS, "identity", isOver);
    const identity = await readIdentity(directory);
    if (typeof identity === "object") return identity;
    if (await this.#isRunning(host))
      throw new AppError("timeout", `The agent host did not begin the run of ${directory} in ${BEGUN_WITHIN_MS / 1000} s.`);
    return undefined;
  }

  /** The folder of a host that was started by us and lives. */
  async #open(program: SharedProgram): Promise<string> {
    const current = (this.#current ??= this.#startOne(program));
    const host = await current;
    if (await this.#isRunning(host)) return host;
    // Of all that find it gone the first one starts another, which the others get too.
    if (this.#current === current) this.#current = undefined;
    return (this.#current ??= this.#startOne(program));
  }

  #startOne(program: SharedProgram): Promise<string> {
    const starting = this.#start(program);
    // Who waits for it is told; the next one tries again.
    starting.catch(() => {
      if (this.#current === starting) this.#current = undefined;
    });
    return starting;
  }

  async #start({ argv, env }: SharedProgram): Promise<string> {
    const id = randomUUID();
    const directory = join(this.#parts.directory, id);
    const [program, ...args] = argv;
    const { pid } = await this.#parts.host.start({
      directory,
      argv: [program, ...args, directory],
      cwd: "/",
      env,
      files: {},
      stdin: "",
      marker: hostMarker(id),
      // That of all agents together holds it.
      limits: noLimits,
    });
    this.#parts.log.info("agent host started", { pid, directory });
    return directory;
  }

  async #isRunning(directory: string): Promise<boolean> {
    const { state } = await this.#parts.host.inspect(directory);
    // Unknown: nothing may be concluded, so it is waited on.
    return state === "running" || state === "unknown";
  }

  /** Waits, no longer than `withinMs`, for what a file of the folder tells. Returns whether it came. */
  async #until(directory: string, withinMs: number, file: string, isOver: () => Promise<boolean>): Promise<boolean> {
    const { clock, log } = this.#parts;
    const late = new AbortController();
    const changes = new Changes(directory, clock, log);
    const cancelTimer = clock.setTimer(withinMs, () => late.abort());
    try {
      for (let changed: ReadonlySet<string> | undefined; ; changed = await changes.next(late.signal)) {
        if ((changed === undefined || changed.has(file)) && (await isOver())) return true;
      }
    } catch (thrown) {
      if (!late.signal.aborted) throw thrown;
      return false;
    } finally {
      cancelTimer();
      changes.close();
    }
  }

  async #all(): Promise<string[]> {
    return (await namesIn(this.#parts.directory)).map((id) => join(this.#parts.directory, id));
  }

  async #orGone(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (failure) {
      // Whoever asks looks next at what became of the run; a host that is gone carries none.
      this.#parts.log.debug("an agent host could not be told", { error: messageOf(failure) });
    }
  }
}

function idOf(host: string): string {
  return host.slice(host.lastIndexOf("/") + 1);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (failure) {
    if (hasCode(failure, "ENOENT")) return [];
    throw failure;
  }
}
