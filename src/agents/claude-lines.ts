import { z } from "zod";
import { lineParser } from "./json-lines.ts";

/**
 * The lines of Claude Code's `--output-format stream-json` that we read, and of each no more than we use. Seen in version
 * 2.1.329; fields are optional where an other version may lack them.
 */
const Block = z.object({
  type: z.string(),
  text: z.string().optional(),
  /** Of a `tool_use`. */
  id: z.string().optional(),
  name: z.string().optional(),
  input: z.unknown().optional(),
  /** Of a `tool_result`. */
  tool_use_id: z.string().optional(),
  is_error: z.boolean().nullish(),
});

/** `resetsAt`: epoch seconds. */
const RateLimit = z.object({ status: z.string(), resetsAt: z.number().optional() });

const SystemLine = z.object({
  type: z.literal("system"),
  subtype: z.string(),
  session_id: z.string().optional(),
  model: z.string().nullish(),
  /** Of `api_retry`. `error_status` is null when the connection failed. */
  attempt: z.number().optional(),
  max_retries: z.number().optional(),
  retry_delay_ms: z.number().optional(),
  error_status: z.number().nullish(),
  error: z.string().optional(),
});

const AssistantLine = z.object({
  type: z.literal("assistant"),
  message: z.object({ id: z.string().optional(), content: z.array(Block) }),
  /** Not null: said by a sub-agent that this tool call started. */
  parent_tool_use_id: z.string().nullish(),
  /** ISO 8601. */
  timestamp: z.string().optional(),
  /** Present: not the model's words but Claude Code's own about a failed request, such as `rate_limit`. */
  error: z.string().optional(),
  api_error: z.string().optional(),
  api_error_status: z.number().nullish(),
  api_error_params: z.object({ rate_limit_info: RateLimit.optional() }).optional(),
});

const UserLine = z.object({ type: z.literal("user"), message: z.object({ content: z.union([z.string(), z.array(Block)]) }) });

const RequestLine = z.object({
  type: z.literal("control_request"),
  request_id: z.string(),
  request: z.object({ subtype: z.string(), tool_name: z.string().optional(), input: z.unknown().optional() }),
});

const RateLimitLine = z.object({ type: z.literal("rate_limit_event"), rate_limit_info: RateLimit });

const ResultLine = z.object({
  type: z.literal("result"),
  /** `success` also for a turn that an API error ended: then `is_error` is true. */
  subtype: z.string(),
  is_error: z.boolean(),
  /** `completed` is the good one; missing when no request was made, as for a slash command. */
  terminal_reason: z.string().optional(),
  result: z.string().optional(),
  errors: z.array(z.string()).optional(),
  api_error_status: z.number().nullish(),
  permission_denials: z.array(z.object({ tool_name: z.string(), tool_use_id: z.string() })).default([]),
  /** Of the main conversation in this process, without its sub-agents. */
  usage: z
    .object({
      input_tokens: z.number().default(0),
      output_tokens: z.number().default(0),
      cache_creation_input_tokens: z.number().nullish(),
      cache_read_input_tokens: z.number().nullish(),
    })
    .optional(),
  /** By model, sub-agents included, since this process's last result. `modelUsage` and `total_cost_usd` count from the session's start. */
  model_usage_since_last_result: z
    .record(
      z.string(),
      z.object({
        inputTokens: z.number(),
        outputTokens: z.number(),
        cacheReadInputTokens: z.number(),
        cacheCreationInputTokens: z.number(),
        costUSD: z.number(),
      }),
    )
    .optional(),
});

const Line = z.discriminatedUnion("type", [SystemLine, AssistantLine, UserLine, RequestLine, RateLimitLine, ResultLine]);

export type ClaudeLine = z.infer<typeof Line>;
export type SystemLine = z.infer<typeof SystemLine>;
export type AssistantLine = z.infer<typeof AssistantLine>;
export type UserLine = z.infer<typeof UserLine>;
export type RequestLine = z.infer<typeof RequestLine>;
export type ResultLine = z.infer<typeof ResultLine>;

export const parseLine = lineParser<ClaudeLine>(
  Line,
  Line.options.map((option) => option.shape.type.value),
);
