import { z } from "zod";
import { AppError, messageOf } from "../base/errors.ts";
import { AgentFailureReason, type SaidAgentLine } from "../contract/agent-line.ts";

type Verdict = Extract<SaidAgentLine, { type: "turn_ended" }>["verdict"];

const Details = z.object({ reason: AgentFailureReason.catch("agent_error"), retryAt: z.int().nullable().catch(null) });

/** The last word on work that failed: with `details.reason` and `details.retryAt` of an AppError, where it has them. */
export function failedVerdict(thrown: unknown): Verdict {
  return { ok: false, message: messageOf(thrown), ...Details.parse(thrown instanceof AppError ? thrown.details : {}) };
}
