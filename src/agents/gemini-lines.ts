import { z } from "zod";
import { lineParser } from "./json-lines.ts";

/** The lines of Gemini CLI's `--output-format stream-json` that we read, and of each no more than we use. Seen in version 0.61.0. */
const Init = z.object({ type: z.literal("init"), session_id: z.string(), model: z.string().nullish() });
/** The assistant's come in pieces (`delta`). */
const Message = z.object({ type: z.literal("message"), role: z.string(), content: z.string() });
const ToolUse = z.object({ type: z.literal("tool_use"), tool_name: z.string(), tool_id: z.string(), parameters: z.unknown().optional() });
const ToolResult = z.object({ type: z.literal("tool_result"), tool_id: z.string(), status: z.string() });
const Result = z.object({
  type: z.literal("result"),
  status: z.string(),
  error: z.object({ type: z.string().optional(), message: z.string() }).nullish(),
  /** Of this run. `input`: the input tokens that were not `cached`. */
  stats: z.object({ input: z.number().default(0), cached: z.number().default(0), output_tokens: z.number().default(0) }).nullish(),
});

const Line = z.discriminatedUnion("type", [Init, Message, ToolUse, ToolResult, Result]);

export type GeminiLine = z.infer<typeof Line>;
export type GeminiResult = z.infer<typeof Result>;

export const parseLine = lineParser<GeminiLine>(
  Line,
  Line.options.map((option) => option.shape.type.value),
);
