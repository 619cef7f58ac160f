import { z } from "zod";
import { lineParser } from "./json-lines.ts";

/** The lines of `opencode run --format json` that we read, and of each no more than we use. Seen in version 1.18.33. */
const sessionID = z.string();

const StepStart = z.object({ type: z.literal("step_start"), sessionID });
const Text = z.object({ type: z.literal("text"), sessionID, part: z.object({ text: z.string() }) });
/** Told when the tool is done. */
const ToolUse = z.object({
  type: z.literal("tool_use"),
  sessionID,
  part: z.object({ callID: z.string(), tool: z.string(), state: z.object({ status: z.string(), input: z.unknown().optional() }) }),
});
/** `reason`: `tool-calls` when another step follows, `stop` at the good end, else `length`, `content-filter`, ... `cost`: US dollars. */
const StepFinish = z.object({
  type: z.literal("step_finish"),
  sessionID,
  part: z.object({
    reason: z.string(),
    cost: z.number().default(0),
    tokens: z.object({
      input: z.number(),
      output: z.number(),
      reasoning: z.number().default(0),
      cache: z.object({ read: z.number().default(0), write: z.number().default(0) }).prefault({}),
    }),
  }),
});
const ErrorLine = z.object({
  type: z.literal("error"),
  sessionID: sessionID.optional(),
  error: z.object({
    /** `APIError`, `ProviderAuthError`, `MessageAbortedError`, ... */
    name: z.string(),
    data: z.object({ message: z.string().optional(), statusCode: z.number().nullish(), isRetryable: z.boolean().optional() }).optional(),
  }),
});
/** Printed by our start command in the place of OpenCode, which is not started. */
const Refused = z.object({ type: z.literal("drover.refused"), sessionID: sessionID.optional(), carried: z.string() });

const Line = z.discriminatedUnion("type", [StepStart, Text, ToolUse, StepFinish, ErrorLine, Refused]);

export type OpencodeLine = z.infer<typeof Line>;
export type OpencodeStep = z.infer<typeof StepFinish>["part"];
export type OpencodeError = z.infer<typeof ErrorLine>["error"];

export const parseLine = lineParser<OpencodeLine>(
  Line,
  Line.options.map((option) => option.shape.type.value),
);
