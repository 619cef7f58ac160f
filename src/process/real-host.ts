import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, isAbsolute } from "node:path";
import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { HostedCommand } from "../contract/agent-host.ts";
import type { ProcessIdentity } from "../contract/run.ts";
import { AgentHosts } from "./agent-hosts.ts";
import { processesIn } from "./cgroup-files.ts";
import { Cgroups } from "./cgroups.ts";
import { Changes } from "./changes.ts";
import { Ending, keyOf } from "./ending.ts";
import {
  type HeldIdentity,
  forgetScript,
  heldFiles,
  parseIdentity,
  readExit,
  readGroups,
  readIdentity,
  readTail,
  refuseStart,
} from "./held-folder.ts";
import type { EndedState, HeldCommand, HeldState, HostUse, MemoryPressure, OutputLine, ProcessHost, RunUse } from "./host.ts";
import { entryFile } from "./hosted-folder.ts";
import { Inbox } from "./inbox.ts";
import type { RunLimits } from "./limits.ts";
import { readMemoryPressure } from "./memory-pressure.ts";
import { OutputLimit } from "./output-limit.ts";
import { readOutput } from "./output.ts";
import { isSame, type ListedProcess, type ProcessEntry, type ProcessTable } from "./process-table.ts";
import { scopeId } from "./scope.ts";
import { commandScript } from "./script.ts";
import { IDENTIFY_SCRIPT, Spawner } from "./spawner.ts";
import { failureTo, hasCode, isSystemFailure } from "./system-error.ts";
import { Surveyor, type Survey } from "./survey.ts";
import { scopePrefix, SYSTEMD_FOLDER } from "./systemd-scope.ts";
import { CpuMeter } from "./usage.ts";

export interface RealHostOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly table: ProcessTable;
  /**
   * Names this daemon among the others of the machine, as its home folder does. What carries another scope belongs to
   * another daemon (of a test, or one that an agent of ours started) and is neither measured nor swept.
   */
  readonly scope: string;
  /** The PATH on which sh finds its tools: setsid (or perl), mkfifo, ln, mv, cat, rm, and fallocate where there is one. */
  readonly path: string;
  /** What `out` and `err` of a command may take of the disk, each, beside what nobody has read yet. */
  readonly outputMaxBytes: number;
  /** Where the folders of agent hosts are kept. */
  readonly agentHosts: string;
  /** Where the kernel tells of control groups and of memory; `/proc` when left out, also on a system without. */
  readonly proc?: string;
}

export interface RealProcessHost extends ProcessHost {
  /** Ends the spawner; what was started lives on. Safe to repeat. */
  close(): Promise<void>;
}

/** The process host of this machine. Needs no start: its spawner begins with the first command. */
export function createProcessHost(options: RealHostOptions): RealProcessHost {
  return new RealHost(options);
}

const PROC = "/proc";
/** Without spaces, which separate what `ps` prints on macOS. */
const MARKER = /^[\w.:-]+$/u;
/** From the end of a command until its holder has said so. */
const HOLDER_WITHIN_MS = 5_000;

class RealHost implements RealProcessHost {
  readonly #options: RealHostOptions;
  readonly #scope: string;
  readonly #spawner: Spawner;
  readonly #ending: Ending;
  readonly #inbox: Inbox;
  readonly #cpu: CpuMeter;
  readonly #surveyor: Surveyor;
  readonly #groups: Cgroups;
  readonly #agentHosts: AgentHosts;

  constructor(options: RealHostOptions) {
    const { clock, log, table, scope, path, proc = PROC } = options;
    this.#options = options;
    this.#scope = scopeId(scope);
    this.#spawner = new Spawner(path, clock, log);
    this.#ending = new Ending(table, clock);
    this.#inbox = new Inbox(clock, log);
    this.#cpu = new CpuMeter(clock);
    const name = `drover-${this.#scope}`;
    this.#groups = new Cgroups({ name, log, proc, enterScope: () => this.#enterScope(name) });
    this.#surveyor = new Surveyor(clock);
    this.#agentHosts = new AgentHosts({
      clock,
      log,
      directory: options.agentHosts,
      host: this,
      send: (directory, text) => this.#inbox.inTurn(directory, () => this.#write(directory, text)),
    });
  }

  async start({ directory, argv, cwd, env, files, stdin, marker, shared, limits }: HeldCommand): Promise<ProcessIdentity> {
    if (!isAbsolute(directory) || !isAbsolute(cwd)) throw new AppError("invalid", "The folders of a command must be absolute paths.");
    if (!MARKER.test(marker)) throw new AppError("invalid", `"${marker}" cannot mark a command: only letters, digits and . : _ - can.`);
    const marked = { ...env, DROVER_RUN: marker, DROVER_SCOPE: this.#scope };
    const hosted: HostedCommand = { cwd, env: marked, marker };
    const content = shared ? JSON.stringify(hosted) : commandScript({ argv, cwd, env: marked, prologue: IDENTIFY_SCRIPT });
    try {
      await makeFolder(directory);
      for (const [path, content] of Object.entries(files)) await writeNew(path, content);
      if (stdin !== "") await writeNew(heldFiles(directory).input, stdin);
      const groups = await this.#groups.open(marker, limits);
      if (groups.length > 0) await writeNew(heldFiles(directory).groups, groups.map((folder) => `${folder}\n`).join(""));
      await writeNew(heldFiles(directory).command, content);
    } catch (failure) {
      throw failureTo(`prepare ${directory}`, failure);
    }
    const identity = await (shared ? this.#agentHosts.begin(directory, shared) : this.#claim(directory));
    await forgetScript(directory);
    return { bootId: identity.bootId, pid: identity.pid, startTime: identity.startTime };
  }

  async settle(directory: string): Promise<HeldState> {
    return orUnknown(async () => {
      await refuseStart(directory);
      const state = await this.#look(directory);
      // The daemon that was to do this may not have lived to.
      await forgetScript(directory);
      return state;
    });
  }

  async inspect(directory: string): Promise<HeldState> {
    return orUnknown(() => this.#look(directory));
  }

  async waitForEnd(directory: string, signal: AbortSignal): Promise<EndedState> {
    const changes = new Changes(directory, this.#options.clock, this.#options.log);
    try {
      let changed: ReadonlySet<string> | undefined;
      for (;;) {
        if (changed === undefined || changed.has("exit")) {
          const state = await this.inspect(directory);
          if (state.state === "exited" || state.state === "lost") return state;
          if (state.state === "absent") throw new AppError("not_found", `No command was started in ${directory}.`);
        }
        changed = await changes.next(signal);
      }
    } finally {
      changes.close();
    }
  }

  async send(directory: string, text: string): Promise<void> {
    await this.#inbox.inTurn(directory, async () => {
      const identity = await readIdentity(directory);
      if (typeof identity !== "object" || identity.host === undefined) return this.#write(directory, text);
      await this.#requireRunning(directory);
      await this.#agentHosts.tell(identity.host.directory, { type: "tell", directory, text });
    });
  }

  async #write(directory: string, text: string): Promise<void> {
    await this.#inbox.write(directory, text, () => this.#requireRunning(directory));
  }

  async #requireRunning(directory: string): Promise<void> {
    const { state } = await this.inspect(directory);
    if (state !== "running") throw new AppError("conflict", `The command of ${directory} does not run (${state}).`, { state });
  }

  async *readLines(
    directory: string,
    { from, follow, signal }: { from: number; follow: boolean; signal: AbortSignal },
  ): AsyncGenerator<OutputLine> {
    const { clock, log } = this.#options;
    const changes = follow ? new Changes(directory, clock, log) : undefined;
    const hasEnded = async () => ["exited", "lost", "absent"].includes((await this.inspect(directory)).state);
    const limit = follow ? this.#limitOf(directory) : undefined;
    try {
      yield* readOutput({ directory, from, changes, signal, hasEnded, limit });
    } finally {
      changes?.close();
    }
  }

  #limitOf(directory: string): OutputLimit {
    return new OutputLimit(directory, this.#options.outputMaxBytes, this.#spawner, this.#options.log);
  }

  async readErrors(directory: string, maxBytes: number): Promise<string> {
    return readTail(heldFiles(directory).err, maxBytes);
  }

  async stop(directory: string, { marker, graceMs }: { marker: string; graceMs: number }): Promise<HeldState> {
    const state = await this.settle(directory);
    if (state.state === "unknown") return state;
    const isMarked = (entry: ListedProcess) => this.#markerOf(entry) === marker;
    const identity = await readIdentity(directory);
    const groups = await readGroups(directory);
    let seen: ReadonlySet<string> = new Set();
    if (typeof identity === "object" && identity.host !== undefined) {
      if (state.state === "running") await this.#agentHosts.end(directory, identity.host.directory, graceMs);
    } else if (typeof identity === "object" && (await this.#isOfThisBoot(identity))) {
      seen = await this.#ending.endGroup(identity, isMarked, graceMs);
    }
    await this.#killAll(groups, (entry) => isMarked(entry) || seen.has(keyOf(entry)));
    const ended = state.state === "running" ? await this.#stateOnceHolderIsDone(directory) : state;
    // Only now: the holder asks its group whether the memory was at an end.
    await this.#groups.remove(groups);
    if (ended.state === "exited") await this.#limitOf(directory).freeRest();
    return ended;
  }

  async sweep(isWanted: (marker: string) => boolean): Promise<string[]> {
    const isUnwanted = (marker: string | undefined) =>
      marker !== undefined && !isWanted(marker) && this.#agentHosts.ofMarker(marker) === undefined;
    const hosted = await this.#agentHosts.sweep(isWanted);
    const groups = [...(await this.#groups.list())].filter(([marker]) => isUnwanted(marker));
    const ended = new Set<string>(hosted);
    for (const [marker, folders] of groups) if (processesIn(folders).size > 0) ended.add(marker);
    const folders = groups.flatMap(([, one]) => one);
    const marked = await this.#killAll(folders, (entry) => isUnwanted(this.#markerOf(entry)));
    for (const entry of marked) ended.add(this.#markerOf(entry) ?? "");
    ended.delete("");
    await this.#groups.remove(folders);
    return [...ended];
  }

  async survey(): Promise<ReadonlyMap<string, Survey>> {
    return this.#surveyor.read(this.#byMarker(await this.#options.table.list()));
  }

  async measure(): Promise<HostUse> {
    const { table } = this.#options;
    const ours = this.#byMarker(await table.list());
    const all = [...ours.values()].flat();
    const memory = await table.measureMemory(all);
    const bytesOf = (processes: readonly ListedProcess[]) => processes.reduce((sum, { pid }) => sum + (memory.get(pid) ?? 0), 0);
    const outOfMemory = await this.#groups.outOfMemory();
    const runs = [...new Set([...ours.keys(), ...outOfMemory])].map((marker): [string, RunUse] => {
      const processes = ours.get(marker) ?? [];
      return [marker, { memoryBytes: bytesOf(processes), processes: processes.length, outOfMemory: outOfMemory.has(marker) }];
    });
    const limited = await this.#groups.controllers();
    return {
      memoryBytes: bytesOf(all),
      cpuPercent: this.#cpu.read(all),
      runs: new Map(runs),
      isLimited: limited.has("memory") && limited.has("pids"),
    };
  }

  async readMemoryPressure(): Promise<MemoryPressure> {
    return readMemoryPressure(this.#options.proc ?? PROC);
  }

  async limit(directory: string, limits: RunLimits): Promise<void> {
    await this.#groups.limit(await readGroups(directory), limits);
  }

  async limitAll(limits: RunLimits): Promise<void> {
    await this.#groups.limitAll(limits);
  }

  async close(): Promise<void> {
    await this.#agentHosts.close();
    await this.#spawner.close();
    await this.#groups.close();
  }

  /** Everything in a group, whatever it carries, and what else `isOurs` names. */
  async #killAll(groups: readonly string[], isOurs: (entry: ListedProcess) => boolean): Promise<ListedProcess[]> {
    // Where the processes can't be listed nothing may be concluded, and the kernel would end a group all the same.
    if (groups.length > 0) await this.#options.table.list();
    await this.#groups.kill(groups);
    return this.#ending.killAll(() => {
      const members = processesIn(groups);
      return (entry) => members.has(entry.pid) || isOurs(entry);
    });
  }

  /** Asks for a holder; when it is not heard of, the folder tells whether it began, and if not, it never will. */
  async #claim(directory: string): Promise<HeldIdentity> {
    try {
      const answer = await this.#spawner.start(directory);
      if (answer.word === "started") return parseIdentity(answer.rest);
    } catch (failure) {
      await refuseStart(directory);
      throw failure;
    }
    await refuseStart(directory);
    const identity = await readIdentity(directory);
    if (typeof identity === "object") return identity;
    await forgetScript(directory);
    throw new AppError(
      "unavailable",
      `Cannot start the command of ${directory}: its holder failed or did not answer. There must be room on the disk, and setsid (util-linux) or perl on the PATH.`,
      { path: this.#options.path },
    );
  }

  async #look(directory: string): Promise<HeldState> {
    const exit = await readExit(directory);
    if (exit !== undefined) return { state: "exited", ...exit };
    const identity = await readIdentity(directory);
    if (identity === undefined || identity === "refused") return { state: "absent" };
    if (identity === "damaged" || !(await this.#isOfThisBoot(identity))) return { state: "lost" };
    const { holder, host, ...command } = identity;
    // While its holder lives, the status of a command that has ended is still to come. A host lives on, and says what it carries.
    const isHeld = host === undefined || existsSync(entryFile(host));
    if (isHeld && ((await this.#isAlive(command)) || (await this.#isAlive(holder)))) return { state: "running", identity: command };
    const lateExit = await readExit(directory);
    return lateExit === undefined ? { state: "lost" } : { state: "exited", ...lateExit };
  }

  async #isOfThisBoot(identity: HeldIdentity): Promise<boolean> {
    return identity.bootId === (await this.#options.table.readBootId());
  }

  async #isAlive(known: Pick<ProcessEntry, "pid" | "startTime">): Promise<boolean> {
    return isSame(known, await this.#options.table.find(known.pid));
  }

  async #stateOnceHolderIsDone(directory: string): Promise<HeldState> {
    const { clock } = this.#options;
    const late = new AbortController();
    const cancelTimer = clock.setTimer(HOLDER_WITHIN_MS, () => late.abort());
    try {
      return await this.waitForEnd(directory, late.signal);
    } catch {
      return await this.inspect(directory); // a holder that hangs, as on a full disk; say what there is to say
    } finally {
      cancelTimer();
    }
  }

  /** Has commands started in a scope of systemd's, where systemd runs the system and gives us one. */
  async #enterScope(name: string): Promise<number | undefined> {
    if (!existsSync(SYSTEMD_FOLDER)) return undefined;
    // Of its own for each daemon: what an earlier one started stays in the scope that it was started in.
    return this.#spawner.enter(scopePrefix({ unit: `${name}-${process.pid}`, isRoot: process.getuid?.() === 0 }));
  }

  #byMarker(listed: readonly ListedProcess[]): Map<string, ListedProcess[]> {
    const byMarker = Map.groupBy(listed, (entry) => this.#markerOf(entry));
    byMarker.delete(undefined);
    return byMarker as Map<string, ListedProcess[]>;
  }

  #markerOf({ mark }: ListedProcess): string | undefined {
    return mark?.scope === this.#scope ? mark.marker : undefined;
  }
}

async function orUnknown(look: () => Promise<HeldState>): Promise<HeldState> {
  try {
    return await look();
  } catch (failure) {
    if (failure instanceof AppError || isSystemFailure(failure)) return { state: "unknown", message: failure.message };
    throw failure;
  }
}

async function writeNew(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, content, { mode: content.startsWith("#!") ? 0o700 : 0o600 });
}

async function makeFolder(directory: string): Promise<void> {
  await mkdir(dirname(directory), { recursive: true, mode: 0o700 });
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (cause) {
    if (hasCode(cause, "EEXIST"))
      throw new AppError("conflict", `${directory} was used before; a command needs a folder of its own.`, { cause });
    throw cause;
  }
}
