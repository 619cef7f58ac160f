import { z } from "zod";

/** The tools of our own agent, by the names its model knows them by. */
export const ToolName = z.enum(["read", "write", "edit", "list", "search", "run"]);
export type ToolName = z.infer<typeof ToolName>;

/** What a tool works with. */
export interface ToolContext {
  /** The folder that the agent works in: an absolute path. */
  readonly workspace: string;
  /** The environment of the commands it runs. Holds no provider's key. */
  readonly env: Readonly<Record<string, string>>;
  /** Null: there is no sandbox, and only what `allowedCommands` names is run. */
  readonly confine: Confine | null;
  readonly commandTimeoutMs: number;
  /** Programs that may be run, by name, as the PATH of `env` finds them; null: all, in the sandbox. */
  readonly allowedCommands: readonly string[] | null;
  /** Keeps what was done, for people to read. */
  readonly audit: (entry: ToolAudit) => void;
}

/**
 * A tool that a model can call. `run` throws AppError for what the model did wrong or what failed: its message is given back
 * to the model.
 */
export interface Tool<Input = unknown> {
  readonly name: string;
  readonly description: string;
  readonly input: z.ZodType<Input>;
  run(input: Input, context: ToolContext, signal: AbortSignal): Promise<string>;
}

/** What became of one use of a tool. `refused`: it tried to leave what it may reach. */
export interface ToolAudit {
  readonly tool: string;
  /** What it was used on: a path, a command. */
  readonly subject: string;
  readonly outcome: "done" | "failed" | "refused";
  readonly message: string | null;
}

/** Puts the system's sandbox around a command that works in `cwd`. */
export type Confine = (argv: readonly [string, ...string[]], cwd: string) => Promise<ConfinedCommand>;

/** What to run in a command's place; to be disposed of once it has ended. */
export interface ConfinedCommand extends AsyncDisposable {
  readonly argv: readonly [string, ...string[]];
  /** To be added to the command's own. */
  readonly env: Readonly<Record<string, string>>;
  /** Addresses in the network that it was not led to, as it asked for them. */
  refusedAddresses(): Promise<readonly string[]>;
}
