import type { ProjectConfig } from "../contract/config.ts";
import type { IsolationName } from "../contract/isolation.ts";
import type { Project } from "../contract/project.ts";
import type { HeldCommand } from "../process/host.ts";
import type { RunLimits } from "../process/limits.ts";

/** A command that is to run isolated, and what it needs of the world around it. */
export interface WrapRequest {
  readonly command: HeldCommand;
  /** What people know its task by, `api#42`. */
  readonly title: string;
  /** The tree it works in; absolute. */
  readonly workspace: string;
  /** A folder of its own that it may write to besides; made, 0700, if it is not there. */
  readonly configDirectory: string;
  readonly project: Project;
  readonly config: ProjectConfig;
  readonly reach: Reach;
  /** Whether its streams are to be a terminal that a person sits at; its descriptor 3 is then what its stdout is otherwise. */
  readonly terminal: boolean;
  /** The commit that the task was cut from. */
  readonly source: Source;
}

/** What a command needs of this machine besides what the configuration allows. */
export interface Reach {
  /** `api.anthropic.com`, `localhost:4020` */
  readonly hosts: readonly string[];
  /** Of the person's, such as a login; read and renewed. */
  readonly files: readonly string[];
  /** The agent's program and the scripts that its configuration names: absolute, or names on the PATH. */
  readonly programs: readonly string[];
}

/** A commit as the daemon has it, which no agent has touched. */
export interface Source {
  readonly commit: string;
  /** Writes its tree as a tar file. */
  archive(file: string, signal: AbortSignal): Promise<void>;
}

export type Availability =
  | { readonly available: true; readonly version: string }
  /** `message` says what to install or to start. */
  | { readonly available: false; readonly message: string };

/**
 * What is put around a command. The command it makes is held by the process host in the place of the given one, so that
 * streams, exit status, identity, kill ladder and adoption are the same for all, and nobody asks a container or a window
 * what became of a run.
 */
export interface Isolation {
  readonly name: IsolationName;
  /** Whether it keeps what runs in it from the rest of the machine. Then set-up and checks, which run what the agent wrote, run in it too. */
  readonly confines: boolean;
  /** Whether it has a terminal to give. */
  readonly hasTerminal?: true;
  detect(signal: AbortSignal): Promise<Availability>;
  /** Whether a project's agent comes with the isolation, so that it is not to be looked for on this machine. */
  bringsAgent(config: ProjectConfig): boolean;
  /**
   * Makes ready what the command needs and returns the command to hold; it has the same folder and marker. Throws with
   * `details.reason` where the run's outcome should tell why: `isolation_missing`, `isolation_failed`, `image_failed`.
   */
  wrap(request: WrapRequest, signal: AbortSignal): Promise<HeldCommand>;
  /** Ends what it keeps of a run beyond processes of ours: a container, a window. Safe to repeat; comes after the kill ladder. */
  release(marker: string): Promise<void>;
  /** Changes the limits of what it keeps of a run beyond processes of ours; absent: it keeps nothing that has limits of its own. */
  limit?(marker: string, limits: RunLimits): Promise<void>;
  /** The command by which a person on this machine looks at a run, and may type unless `isReadOnly`; undefined: it can't be looked at. */
  attach?(marker: string, isReadOnly: boolean): Promise<readonly string[] | undefined>;
  /** Ends what is left of runs that nobody wants. Returns their markers. */
  sweep(isWanted: (marker: string) => boolean): Promise<string[]>;
}
