import type { Clock } from "../base/clock.ts";
import type { AgentConfig, ProjectConfig } from "../contract/config.ts";
import type { HookCategory } from "../contract/hook.ts";
import type { FailureReason } from "../contract/run.ts";
import type { Usage } from "../contract/proof.ts";
import type { SharedProgram } from "../process/host.ts";
import type { HookTarget } from "./hook-program.ts";
import type { ToolServer } from "./tool-server.ts";

/** What a driver needs to know to start its agent on a prompt. */
export interface LaunchRequest {
  readonly agent: AgentConfig;
  readonly prompt: string;
  /** The workspace: an absolute path. */
  readonly workspace: string;
  /**
   * A folder for the agent's configuration and state; exists, 0700. It belongs to the task: an agent keeps its sessions
   * there, so a run that is to continue one must be given the same folder as the run that began it.
   */
  readonly configDirectory: string;
  /** A session of this agent to continue; null: a fresh one. */
  readonly sessionId: string | null;
  /** Where the agent's own hooks are to report; null: nowhere. */
  readonly hooks: HookTarget | null;
  /** Drover's own tools for it (contract/run-tools.ts), for an agent that can be given tools; null: it is to have none. */
  readonly toolServer: ToolServer | null;
  /** What the run may cost at most, US dollars, for an agent that can hold itself to that; left out: there is no budget. */
  readonly budgetUsd?: number | undefined;
  /** The names of the tools that the stage allows, for an agent that can be held to them; null: all of them. */
  readonly tools: readonly string[] | null;
  /**
   * What a sandbox of the agent's own is to leave open to its commands; null: none is to be had, since the agent is in a
   * sandbox or a container already.
   */
  readonly sandbox: ProjectConfig["sandbox"] | null;
  /** Where to look for programs. */
  readonly path: string;
  /** The daemon's environment, reduced to what this agent may see. */
  readonly env: Readonly<Record<string, string>>;
}

/** How to start it. */
export interface Launch {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** The program that may do it beside others, in the place of `argv`: it takes the orders of contract/agent-host.ts. */
  readonly shared?: SharedProgram;
  /** Files to write before the start, absolute path to content (0600). */
  readonly files: Readonly<Record<string, string>>;
  /**
   * What it needs besides its workspace and its configDirectory, for an isolation that gives it nothing else: the hosts it
   * talks to (`api.anthropic.com`, `localhost:4020`; without a port: 443), files of the person's, such as its login, that it
   * reads and renews, and what it loads besides its program.
   */
  readonly reach?: { readonly hosts: readonly string[]; readonly files: readonly string[]; readonly programs?: readonly string[] };
  /** What to write to its stdin at once: the prompt, in the agent's protocol. */
  readonly stdin: string;
  /** It is to have a person's terminal for its streams. What it tells us goes to descriptor 3 then, and we tell it nothing. */
  readonly terminal?: true;
}

/** What an agent says of itself, in one vocabulary. Usage is of this run as a whole so far (never a difference). */
export type AgentEvent =
  | { readonly type: "session_started"; readonly sessionId: string; readonly model: string | null }
  | { readonly type: "message"; readonly text: string }
  | { readonly type: "tool_called"; readonly id: string; readonly tool: string; readonly input: string }
  | { readonly type: "tool_finished"; readonly id: string; readonly tool: string; readonly failed: boolean }
  | { readonly type: "question_asked"; readonly id: string; readonly tool: string; readonly input: string }
  /** A request to the provider failed and is made again. `status`: the HTTP status of its answer, where the agent tells it. */
  | { readonly type: "retrying"; readonly attempt: number; readonly message: string; readonly status?: number | undefined }
  | { readonly type: "usage"; readonly usage: Usage }
  /** The agent's own last word on the turn. Nothing counts as success without it. `stdin`: what to write to make it exit. */
  | { readonly type: "turn_ended"; readonly verdict: AgentVerdict; readonly report: string; readonly stdin: string | null };

export type AgentVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: FailureReason; readonly message: string; readonly retryAt: number | null };

/** Turns one run's stdout into events. A new one fed the same lines says the same, so an adopting daemon reads from the start. */
export interface OutputReader {
  read(line: string): AgentEvent[];
  /** The verdict at the end: the turn's own word and the exit status together. Exit 0 alone is never success. */
  conclude(end: { exitCode: number | null; stderr: string }): { verdict: AgentVerdict; report: string };
}

export type Detection =
  | { readonly found: true; readonly program: string; readonly version: string; readonly loggedIn: boolean | null }
  | { readonly found: false; readonly message: string };

/** What a driver's package exports by default. It is called once, when an agent with the driver is first used. */
export type DriverFactory = (tools: DriverTools) => Driver;

export interface DriverTools {
  /** What a driver that waits or looks at the time takes these from. */
  readonly clock: Clock;
}

/** Our integration of one agent program: pure translation between our words and the agent's. It starts nothing and waits for nothing but `detect`. */
export interface Driver {
  readonly name: string;
  /** Whether a person does the work, in their own time: then no limit of time ends a run. */
  readonly isPerson?: true;
  /** Whether a run of such an agent can go on in one program with others: `Launch.shared`. Default: it can't. */
  canShare?(agent: AgentConfig): boolean;
  /** Names of the daemon's environment variables that its agent needs besides `agent.env`. Default: none. */
  credentials?(agent: AgentConfig): readonly string[];
  /** What its agent tells by hooks of its own, given `LaunchRequest.hooks`; the daemon tells the rest. Default: nothing. */
  readonly announces?: readonly HookCategory[];
  /** Whether the program is there, which version, and whether it is logged in (null: can't be told without asking its maker). */
  detect(agent: AgentConfig, env: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Detection>;
  launch(request: LaunchRequest): Launch;
  openReader(): OutputReader;
  /** What to write to stdin to answer a question of the agent; null: it can't be answered. `input` is the question's own. */
  answer(question: { id: string; input: string }, answer: { allow: boolean; message: string }): string | null;
  /** What to write to stdin to tell the agent something more while it works; null: it takes nothing. */
  say?(text: string): string | null;
}
