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
  /** Null: commands run as they are. */
  readonly confine: Confine | null;
  readonly commandTimeoutMs: number;
  /** Programs that may be run, by name; null: all. */
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

/** Puts the system's sandbox around a command; gives the argv to run in its place. */
export type Confine = (argv: readonly [string, ...string[]], cwd: string) => Promise<{ argv: readonly [string, ...string[]] }>;
