import { z } from "zod";
import { noUsage } from "./proof.ts";

/** Why an agent could not do its work, as far as that is its own to tell. */
export const AgentFailureReason = z.enum(["agent_error", "auth", "network", "overloaded", "usage_limit", "permission_denied"]);

const tokens = z.int().nonnegative();
const text = z.string();

/** What a program that is an agent may say, a JSON object a line (docs/guides/command-agent.md). Anything else it prints is a message. */
export const AgentLine = z.discriminatedUnion("type", [
  z.object({ type: z.literal("session_started"), sessionId: text.min(1).max(500), model: text.nullable().default(null) }),
  z.object({ type: z.literal("message"), text }),
  z.object({ type: z.literal("tool_called"), id: text, tool: text, input: z.unknown().optional() }),
  z.object({ type: z.literal("tool_finished"), id: text, tool: text, failed: z.boolean().default(false) }),
  z.object({ type: z.literal("question_asked"), id: text, tool: text, input: z.unknown().optional() }),
  z.object({ type: z.literal("retrying"), attempt: z.int().positive().default(1), message: text, status: z.int().optional() }),
  z.object({
    type: z.literal("usage"),
    usage: z.object({
      inputTokens: tokens.default(noUsage.inputTokens),
      outputTokens: tokens.default(noUsage.outputTokens),
      cacheReadTokens: tokens.default(noUsage.cacheReadTokens),
      costUsdMicros: tokens.nullable().default(noUsage.costUsdMicros),
    }),
  }),
  z.object({
    type: z.literal("turn_ended"),
    verdict: z.discriminatedUnion("ok", [
      z.object({ ok: z.literal(true) }),
      z.object({
        ok: z.literal(false),
        reason: AgentFailureReason.default("agent_error"),
        message: text,
        retryAt: z.int().nonnegative().nullable().default(null),
      }),
    ]),
    report: text.default(""),
  }),
]);
export type AgentLine = z.infer<typeof AgentLine>;
/** A line as a program writes it, with what may be left out. */
export type SaidAgentLine = z.input<typeof AgentLine>;
export const agentLineTypes: ReadonlySet<string> = new Set(AgentLine.options.map((option) => option.shape.type.value));
