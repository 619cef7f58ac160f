import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { HomePaths } from "../base/paths.ts";
import type { Random } from "../base/random.ts";
import type { Redact } from "../base/redact.ts";
import type { CheckConfig, Config, ProjectConfig, Setting } from "../contract/config.ts";
import type { ForgeKind, Project } from "../contract/project.ts";
import type { CheckResult } from "../contract/proof.ts";
import type { Drivers } from "../agents/registry.ts";
import type { Forge } from "../forge/forge.ts";
import type { Isolation } from "../isolation/isolation.ts";
import type { HeldCommand, ProcessHost } from "../process/host.ts";
import type { RunLimits } from "../process/limits.ts";
import type { Traces } from "../process/traces.ts";
import type { Database } from "../store/database.ts";
import type { RenderPrompt } from "../workflow/prompt.ts";
import type { Branches } from "../workspace/branches.ts";
import type { Workspaces } from "../workspace/workspaces.ts";
import type { WorkflowLibrary } from "./workflow-library.ts";

/** The configuration in force, read anew at each use so that a changed file takes effect at once. */
export interface Settings {
  current(): Config;
  /** Every setting in force with its origin; of the daemon alone without a project. */
  list(project: Project | null): Setting[];
  forProject(project: Project): ProjectConfig;
  /** Whether a project's own file was ever right. While it was not, its checks are unknown, and nothing of it may be started. */
  isKnown(project: Project): boolean;
  /** What is wrong with the home's file, or a project's, now; null: nothing. The last good one is in force. */
  error(project: Project | null): string | null;
  /** A secret of the daemon's environment by its variable's name. */
  secret(variable: string): string | undefined;
  /** The daemon's environment reduced to the basics and these names: what an agent or a check gets. */
  environment(names: readonly string[]): Record<string, string>;
}

/** A command to run for a project in a tree of it: a check, or the set-up. */
export interface CommandRequest {
  readonly check: CheckConfig;
  readonly directory: string;
  /** A new folder for its streams. */
  readonly runDirectory: string;
  readonly marker: string;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: RunLimits;
  /** Puts the run's isolation around the command that it comes to. */
  readonly wrap: (command: HeldCommand) => Promise<HeldCommand>;
}

/** Everything the engine works with. All that reaches the outside world is a seam, so that the simulator can be that world. */
export interface EngineParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly paths: HomePaths;
  readonly database: Database;
  readonly host: ProcessHost;
  readonly traces: Traces;
  /** What an agent shows to the API to speak for its run (base/run-token.ts). */
  readonly runToken: (run: { readonly id: string; readonly epoch: number }) => string;
  /** Where the API answers. */
  readonly apiUrl: () => string;
  readonly workspaces: Workspaces;
  readonly branches: Branches;
  readonly drivers: Drivers;
  readonly isolations: ReadonlyMap<string, Isolation>;
  readonly forges: Readonly<Record<ForgeKind, Forge>>;
  readonly workflows: WorkflowLibrary;
  readonly renderPrompt: RenderPrompt;
  /** Copies the configured untracked files of a person's checkout into a workspace. */
  readonly copyFiles: (project: Project, files: readonly string[], directory: string) => Promise<void>;
  /** The files with knowledge about a project that its owner keeps: instructions to add to prompts, and skills to name in them. */
  readonly readKnowledge: (project: Project) => Promise<{ instructions: string; skills: string[] }>;
  readonly runCheck: (request: CommandRequest, signal: AbortSignal) => Promise<CheckResult>;
  readonly settings: Settings;
  /** Masks the secrets in whatever an agent or a command printed, before it is stored or shown. */
  readonly redact: Redact;
}
