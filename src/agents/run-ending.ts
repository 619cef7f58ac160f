import type { FailureReason } from "../contract/run.ts";
import { complaintOf, cutReport } from "./agent-text.ts";
import type { AgentVerdict } from "./driver.ts";

/** What an agent has told of its turn by the time its output ends. */
export interface ToldEnding {
  /** The agent's own last word; undefined: it gave none. */
  readonly end: { readonly verdict: AgentVerdict; readonly report: string } | undefined;
  readonly lastMessage: string;
  /** Lines that could not be read. */
  readonly broken: number;
}

type Failure = Extract<AgentVerdict, { ok: false }>;

export function failure(reason: FailureReason, message: string, retryAt: number | null = null): Failure {
  return { ok: false, reason, message, retryAt };
}

/**
 * The verdict on a whole run: success is the agent's own good word and exit code 0 together, neither alone. `product`: what
 * people call the agent.
 */
export function concludeRun(
  product: string,
  { end, lastMessage, broken }: ToldEnding,
  { exitCode, stderr }: { exitCode: number | null; stderr: string },
): { verdict: AgentVerdict; report: string } {
  const ended = exitCode === null ? "was ended by a signal" : `ended with exit code ${exitCode}`;
  if (!end) {
    const unread = broken > 0 ? ` ${broken} lines of its output could not be read.` : "";
    const complaint = complaintOf(stderr);
    const message = `${product} ${ended} and gave no result.${unread}${complaint === "" ? "" : ` It said: ${complaint}`}`;
    return { verdict: failure("agent_error", message), report: cutReport(lastMessage) };
  }
  if (end.verdict.ok && exitCode !== 0) {
    return { verdict: failure("agent_error", `${product} reported success but ${ended}.`), report: end.report };
  }
  return end;
}

/** Why a request to a model failed, by its HTTP status; null: there was no answer. */
export function reasonOfStatus(status: number | null): FailureReason {
  if (status === 401 || status === 403) return "auth";
  if (status === 402) return "usage_limit";
  if (status === null || status === 408 || status === 429 || status >= 500) return "overloaded";
  return "agent_error";
}
