import { noUsage, type Usage } from "../contract/proof.ts";
import { cutReport, cutText, inputText } from "./agent-text.ts";
import type { AgentEvent, AgentVerdict, OutputReader } from "./driver.ts";
import { parseLine, type OpencodeError, type OpencodeLine, type OpencodeStep } from "./opencode-lines.ts";
import { concludeRun, failure, reasonOfStatus } from "./run-ending.ts";

/**
 * Reads the lines of `opencode run --format json`. It has no line for the end of a turn: that is a step which says that it is
 * the last one. What sub-agents do and use is not among the lines, and while it repeats a failed request it says nothing.
 */
export class OpencodeReader implements OutputReader {
  #sessionId: string | undefined;
  #lastMessage = "";
  #usage: Usage = noUsage;
  #broken = 0;
  #end: { verdict: AgentVerdict; report: string } | undefined;

  read(text: string): AgentEvent[] {
    if (text.trim() === "") return [];
    const line = parseLine(text);
    if (line === "unknown") return [];
    if (line === "broken") {
      this.#broken++;
      return [];
    }
    return [...this.#readSession(line), ...this.#readLine(line)];
  }

  conclude(exit: { exitCode: number | null; stderr: string }): { verdict: AgentVerdict; report: string } {
    return concludeRun("OpenCode", { end: this.#end, lastMessage: this.#lastMessage, broken: this.#broken }, exit);
  }

  /** Every line names the session; the first one begins it. */
  #readSession({ sessionID: sessionId }: OpencodeLine): AgentEvent[] {
    if (sessionId === undefined || this.#sessionId !== undefined) return [];
    this.#sessionId = sessionId;
    return [{ type: "session_started", sessionId, model: null }];
  }

  #readLine(line: OpencodeLine): AgentEvent[] {
    switch (line.type) {
      case "step_start":
        this.#end = undefined;
        return [];
      case "text":
        if (line.part.text.trim() === "") return [];
        this.#lastMessage = line.part.text;
        return [{ type: "message", text: cutText(line.part.text) }];
      case "tool_use": {
        const { callID: id, tool, state } = line.part;
        return [
          { type: "tool_called", id, tool, input: inputText(state.input) },
          { type: "tool_finished", id, tool, failed: state.status !== "completed" },
        ];
      }
      case "step_finish":
        return this.#readStep(line.part);
      case "error":
        return this.#endTurn(judge(line.error));
      case "drover.refused":
        return this.#endTurn(refusal(line.carried));
    }
  }

  #readStep({ reason, cost, tokens }: OpencodeStep): AgentEvent[] {
    const micros = Math.round(cost * 1_000_000);
    const before = this.#usage;
    this.#usage = {
      inputTokens: before.inputTokens + tokens.input + tokens.cache.write,
      outputTokens: before.outputTokens + tokens.output + tokens.reasoning,
      cacheReadTokens: before.cacheReadTokens + tokens.cache.read,
      // Zero is what it tells of a model whose price it doesn't know.
      costUsdMicros: micros === 0 ? before.costUsdMicros : (before.costUsdMicros ?? 0) + micros,
    };
    const usage: AgentEvent = { type: "usage", usage: this.#usage };
    if (reason === "tool-calls") return [usage];
    return [
      usage,
      ...this.#endTurn(reason === "stop" ? { ok: true } : failure("agent_error", `OpenCode stopped before its end (${reason}).`)),
    ];
  }

  #endTurn(verdict: AgentVerdict): AgentEvent[] {
    this.#end = { verdict, report: cutReport(this.#lastMessage) };
    return [{ type: "turn_ended", ...this.#end, stdin: null }];
  }
}

/** The verdict on a repository that carries what OpenCode would obey. */
export function refusal(carried: string): AgentVerdict {
  const message = `The repository carries ${carried}, whose plugins OpenCode would run as you before it is given its task, and there is no way to keep it from that. Choose another agent for this project.`;
  return failure("permission_denied", message);
}

const LIMIT = /\busage limit\b|\bquota\b|\busage exceeded\b|\binsufficient (?:credits|balance)\b/iu;
/** What is left of a connection that broke. */
const OUTAGE = /\bterminated\b|\bsocket\b|\bunable to connect\b|\bconnection\b|\bECONN|\bETIMEDOUT\b|\boverloaded\b|\bnetwork\b/iu;

function judge({ name, data: { message = "", statusCode, isRetryable = false } = {} }: OpencodeError) {
  const text = `OpenCode failed (${name}): ${cutText(message, 2000)}`;
  if (name === "ProviderAuthError") return failure("auth", text);
  if (LIMIT.test(message)) return failure("usage_limit", text);
  if (typeof statusCode === "number") return failure(reasonOfStatus(statusCode), `${text} (status ${statusCode})`);
  return failure(isRetryable || OUTAGE.test(message) ? "overloaded" : "agent_error", text);
}
