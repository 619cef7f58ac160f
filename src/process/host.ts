import type { ProcessIdentity } from "../contract/run.ts";
import type { RunLimits } from "./limits.ts";
import type { Survey } from "./survey.ts";

/**
 * A command that runs under a holder of ours: in its own session and process group, with stdin a FIFO that never ends,
 * stdout and stderr files, and its exit status a file. So it goes on when the daemon dies, and the next daemon finds it.
 */
export interface HeldCommand {
  /** Its folder, made anew by `start`: `in`, `out`, `err`, `identity`, `exit`. One command a folder, ever. */
  readonly directory: string;
  readonly argv: readonly [string, ...string[]];
  readonly cwd: string;
  /** The whole environment; nothing is inherited. `marker` is added to it. */
  readonly env: Readonly<Record<string, string>>;
  /** Files to write before the start (0600, programs that begin with `#!` and folders 0700): absolute path to content. */
  readonly files: Readonly<Record<string, string>>;
  /**
   * What its stdin begins with. The holder hands it over, exactly once, so that a daemon that dies right after the start
   * has neither forgotten the prompt nor gives it twice. More may follow by `send`.
   */
  readonly stdin: string;
  /** Names the run; in the environment of everything it starts (`DROVER_RUN`), so that what leaves the group is found. */
  readonly marker: string;
  /** A program that carries it out beside other commands, and is started when the first one needs it; left out: `argv` does. */
  readonly shared?: SharedProgram | undefined;
  /** What it and all that it starts may take of the machine. Held by the kernel where it can; elsewhere by whoever looks at `measure`. */
  readonly limits: RunLimits;
}

/** An agent host: takes the orders of contract/agent-host.ts. It outlives the daemon as other commands do. */
export interface SharedProgram {
  /** It gets the absolute path of its own folder besides. */
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * absent: never started. running: it lives. exited: it ended and left its status (by a signal: `signal` is its number).
 * `outOfMemory`: the kernel ended it, or something that it started, because a limit on memory was reached.
 * lost: it was started, is gone, and left none (machine or holder killed). unknown: the process table can't be asked
 * now; nothing may be concluded.
 */
export type HeldState =
  | { readonly state: "absent" }
  | { readonly state: "running"; readonly identity: ProcessIdentity }
  | { readonly state: "exited"; readonly exitCode: number | null; readonly signal: number | null; readonly outOfMemory?: true }
  | { readonly state: "lost" }
  | { readonly state: "unknown"; readonly message: string };

export type EndedState = Extract<HeldState, { state: "exited" | "lost" }>;

/** A line that a held command printed. `end` is the offset behind it: reading again from there gives the next one. */
export interface OutputLine {
  readonly text: string;
  readonly end: number;
}

/** What one marker's processes take of the machine. */
export interface RunUse {
  readonly memoryBytes: number;
  readonly processes: number;
  /** As in `HeldState`. */
  readonly outOfMemory: boolean;
}

/** What everything that carries a marker takes of the machine. */
export interface HostUse {
  readonly memoryBytes: number;
  /** Percent of all processors since the last call; 0 at the first. */
  readonly cpuPercent: number;
  /** By marker. */
  readonly runs: ReadonlyMap<string, RunUse>;
  /** Whether the kernel itself holds every run to its limits on memory and processes. Otherwise somebody must look often. */
  readonly isLimited: boolean;
}

/** How the machine as a whole is off for memory. */
export interface MemoryPressure {
  /** Share of the last ten seconds in which some program stood still for want of memory; null: the system does not tell. */
  readonly stalledPercent: number | null;
  /** What can be had without taking it from others; null: the system does not tell. */
  readonly availableBytes: number | null;
}

/** Starts, watches and ends held commands. The simulator has one of its own. */
export interface ProcessHost {
  /** Starts a command; resolves when its identity is on disk, before it can have had any effect of its own. */
  start(command: HeldCommand): Promise<ProcessIdentity>;
  /**
   * What became of the command of a folder. A start that a dead daemon asked for and that has not happened yet is made
   * impossible first, so `absent` is final.
   */
  settle(directory: string): Promise<HeldState>;
  inspect(directory: string): Promise<HeldState>;
  /** Resolves once the command has ended and all its output is in the file. */
  waitForEnd(directory: string, signal: AbortSignal): Promise<EndedState>;
  /** Writes to its stdin. Throws `conflict` when it no longer runs. */
  send(directory: string, text: string): Promise<void>;
  /**
   * The lines of its stdout behind `from` (bytes), as they come, until it has ended and all is read. A line over 4 MB is
   * left out, and so is what was read long ago and freed from the disk. With `follow: false`: what is there now.
   */
  readLines(directory: string, options: { from: number; follow: boolean; signal: AbortSignal }): AsyncIterable<OutputLine>;
  /** The last `maxBytes` of its stderr. */
  readErrors(directory: string, maxBytes: number): Promise<string>;
  /** The kill ladder: SIGTERM to the group, `graceMs`, SIGKILL to the group, then whatever else carries the marker. Safe to repeat. */
  stop(directory: string, options: { marker: string; graceMs: number }): Promise<HeldState>;
  /** Ends every process that carries a marker and for which `isWanted` says no. Returns the markers whose processes it ended. */
  sweep(isWanted: (marker: string) => boolean): Promise<string[]>;
  /** What shows of the processes of each marker, by one look at the process table for all. Throws `unavailable` when it can't be asked. */
  survey(): Promise<ReadonlyMap<string, Survey>>;
  /** One look at the process table for all of it. */
  measure(): Promise<HostUse>;
  readMemoryPressure(): Promise<MemoryPressure>;
  /** Changes the limits of a running command. Less memory than it has now ends it, at once or when it is measured. */
  limit(directory: string, limits: RunLimits): Promise<void>;
  /** What all commands may take together, the running ones too. */
  limitAll(limits: RunLimits): Promise<void>;
}
