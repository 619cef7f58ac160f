import { z } from "zod";
import { lineParser } from "./json-lines.ts";

/** The lines of `codex exec --json` that we read, and of each no more than we use. Seen in version 0.169.0. */
const Item = z.looseObject({
  id: z.string(),
  /** `agent_message`, `command_execution`, `file_change`, `mcp_tool_call`, `web_search`, `todo_list`, `reasoning`, `error`, ... */
  type: z.string(),
  text: z.string().optional(),
  message: z.string().optional(),
  /** Of a tool: `in_progress`, `completed`, `failed`, `declined`. */
  status: z.string().optional(),
});

/** Of the whole thread. `input_tokens` holds the cached ones too. */
const Tokens = z.object({
  input_tokens: z.number().default(0),
  cached_input_tokens: z.number().default(0),
  output_tokens: z.number().default(0),
});

const ThreadStarted = z.object({ type: z.literal("thread.started"), thread_id: z.string() });
const ItemStarted = z.object({ type: z.literal("item.started"), item: Item });
const ItemCompleted = z.object({ type: z.literal("item.completed"), item: Item });
const ErrorLine = z.object({ type: z.literal("error"), message: z.string() });
const TurnCompleted = z.object({ type: z.literal("turn.completed"), usage: Tokens.nullish() });
const TurnFailed = z.object({ type: z.literal("turn.failed"), error: z.object({ message: z.string() }) });
/** Printed by our start command: epoch seconds, and the zone as `+0130`. */
const Started = z.object({ type: z.literal("drover.started"), at: z.number(), zone: z.string().regex(/^[+-]\d{4}$/u) });
/** A line of the session's own file, which our start command prints before Codex goes on with it. */
const EventMessage = z.object({
  type: z.literal("event_msg"),
  payload: z.object({ type: z.literal("token_count"), info: z.object({ total_token_usage: Tokens }).nullish() }),
});

const Line = z.discriminatedUnion("type", [
  ThreadStarted,
  ItemStarted,
  ItemCompleted,
  ErrorLine,
  TurnCompleted,
  TurnFailed,
  Started,
  EventMessage,
]);

export type CodexLine = z.infer<typeof Line>;
export type CodexItem = z.infer<typeof Item>;
export type CodexStart = z.infer<typeof Started>;
export type CodexTokens = z.infer<typeof Tokens>;

export const parseLine = lineParser<CodexLine>(
  Line,
  Line.options.map((option) => option.shape.type.value),
);
