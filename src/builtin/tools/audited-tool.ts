import type { z } from "zod";
import { toAppError } from "../../base/errors.ts";
import { safeLine } from "../../base/text.ts";
import type { InTurn } from "./in-turn.ts";
import { isRefusal } from "./refusal.ts";
import type { Tool, ToolContext, ToolName } from "./tool.ts";

/** A tool as its own file has it: what it does, without the account of it. */
export interface ToolWork<Input> {
  readonly name: ToolName;
  readonly description: string;
  readonly input: z.ZodType<Input>;
  /** What it is used on, for people. */
  subjectOf(input: Input): string;
  /** Throws AppError; a refusal for an attempt to leave what it may reach. */
  work(input: Input, context: ToolContext, signal: AbortSignal): Promise<string>;
}

const SUBJECT_MAX = 300;

/** The tool with the account of each use, whatever comes of it, and carried out in its turn. */
export function auditedTool<Input>(tool: ToolWork<Input>, inTurn: InTurn): Tool<Input> {
  const { name, description, input } = tool;
  async function run(given: Input, context: ToolContext, signal: AbortSignal): Promise<string> {
    const entry = { tool: name, subject: safeLine(tool.subjectOf(given), SUBJECT_MAX) };
    try {
      signal.throwIfAborted();
      const said = await tool.work(given, context, signal);
      context.audit({ ...entry, outcome: "done", message: null });
      return said;
    } catch (thrown) {
      const failure = toAppError(thrown);
      context.audit({ ...entry, outcome: isRefusal(failure) ? "refused" : "failed", message: failure.message });
      throw signal.aborted ? thrown : failure;
    }
  }

  return { name, description, input, run: (given, context, signal) => inTurn(() => run(given, context, signal)) };
}
