import type { FailureReason } from "../contract/run.ts";
import { noUsage, type Usage } from "../contract/proof.ts";
import { cutReport, cutText, inputText, toLine } from "./agent-text.ts";
import { parseLine, type AssistantLine, type RequestLine, type ResultLine, type SystemLine, type UserLine } from "./claude-lines.ts";
import type { AgentEvent, AgentVerdict, OutputReader } from "./driver.ts";
import { concludeRun, failure, reasonOfStatus } from "./run-ending.ts";
import { readUsageLimit } from "./usage-limit.ts";

/** What Claude Code said when a request to the model failed for good. */
interface ApiFailure {
  readonly kind: string;
  readonly text: string;
  readonly usageLimited: boolean;
  /** Epoch milliseconds; null: not told. */
  readonly resetsAt: number | null;
}

type Failure = Extract<AgentVerdict, { ok: false }>;

/** Ends the session: stdin is a FIFO that never ends, so Claude Code would wait for the next message for ever. */
const END_SESSION = toLine({ type: "control_request", request_id: "drover-end", request: { subtype: "end_session" } });

/** Reads Claude Code's stream-json. */
export class ClaudeReader implements OutputReader {
  #sessionId: string | undefined;
  #lastMessage = "";
  #usage: Usage = noUsage;
  #apiFailure: ApiFailure | undefined;
  /** From the last `rate_limit_event` that refused a request. */
  #resetsAt: number | null = null;
  #broken = 0;
  #end: { verdict: AgentVerdict; report: string } | undefined;
  readonly #tools = new ToolLog();

  read(text: string): AgentEvent[] {
    if (text.trim() === "") return [];
    const line = parseLine(text);
    if (line === "unknown") return [];
    if (line === "broken") {
      this.#broken++;
      return [];
    }
    switch (line.type) {
      case "system":
        return this.#readSystem(line);
      case "assistant":
        return this.#readAssistant(line);
      case "user":
        return this.#readUser(line);
      case "control_request":
        return readRequest(line);
      case "rate_limit_event":
        if (line.rate_limit_info.status === "rejected") this.#resetsAt = toMs(line.rate_limit_info.resetsAt);
        return [];
      case "result":
        return this.#readResult(line);
    }
  }

  conclude(exit: { exitCode: number | null; stderr: string }): { verdict: AgentVerdict; report: string } {
    return concludeRun("Claude Code", { end: this.#end, lastMessage: this.#lastMessage, broken: this.#broken }, exit);
  }

  #readSystem(line: SystemLine): AgentEvent[] {
    if (line.subtype === "init" && line.session_id !== undefined && line.session_id !== this.#sessionId) {
      this.#sessionId = line.session_id;
      return [{ type: "session_started", sessionId: line.session_id, model: line.model ?? null }];
    }
    if (line.subtype === "api_retry") {
      const status = line.error_status ?? undefined;
      return [{ type: "retrying", attempt: line.attempt ?? 1, message: describeRetry(line), ...(status !== undefined && { status }) }];
    }
    return [];
  }

  #readAssistant({ message, parent_tool_use_id: parent, error, ...line }: AssistantLine): AgentEvent[] {
    if (error !== undefined) {
      const text = message.content.map((block) => block.text ?? "").join("\n");
      const told = line.api_error_params?.rate_limit_info?.resetsAt;
      const read = error === "rate_limit" ? readUsageLimit(text, timeOf(line.timestamp)) : undefined;
      const usageLimited = line.api_error === "usage_limit_reached" || read !== undefined;
      this.#apiFailure = { kind: error, text, usageLimited, resetsAt: toMs(told) ?? this.#resetsAt ?? read?.resetsAt ?? null };
      return [];
    }
    return message.content.flatMap((block): AgentEvent[] => {
      if (block.type === "text" && block.text?.trim() && !parent) {
        this.#lastMessage = block.text;
        return [{ type: "message", text: cutText(block.text) }];
      }
      if (block.type !== "tool_use" || block.id === undefined) return [];
      const tool = block.name ?? "unknown";
      this.#tools.called(block.id, tool, message.id);
      return [{ type: "tool_called", id: block.id, tool, input: inputText(block.input) }];
    });
  }

  #readUser({ message: { content } }: UserLine): AgentEvent[] {
    if (typeof content === "string") return [];
    return content.flatMap((block): AgentEvent[] => {
      if (block.type !== "tool_result" || block.tool_use_id === undefined) return [];
      const failed = block.is_error === true;
      return [{ type: "tool_finished", id: block.tool_use_id, tool: this.#tools.finished(block.tool_use_id, failed), failed }];
    });
  }

  #readResult(line: ResultLine): AgentEvent[] {
    this.#usage = addUsage(this.#usage, line);
    const verdict = this.#judge(line);
    const report = cutReport(verdict.ok && line.result ? line.result : this.#lastMessage);
    this.#end = { verdict, report };
    return [
      { type: "usage", usage: this.#usage },
      { type: "turn_ended", verdict, report, stdin: END_SESSION },
    ];
  }

  #judge(line: ResultLine): AgentVerdict {
    const text = line.result || line.errors?.join("; ") || line.subtype;
    if (line.terminal_reason === "api_error" || (line.is_error && this.#apiFailure)) return this.#judgeApiFailure(line, text);
    if (line.subtype === "error_max_budget_usd") return failure("budget", cutText(text, 2000));
    if (line.subtype !== "success" || line.is_error) {
      return failure("agent_error", `Claude Code failed (${line.terminal_reason ?? line.subtype}): ${cutText(text, 2000)}`);
    }
    if (line.terminal_reason !== "completed") {
      return failure(
        "agent_error",
        `Claude Code ended without working on the prompt (${line.terminal_reason ?? "no reason given"}): ${cutText(text, 2000)}`,
      );
    }
    const denied = line.permission_denials.filter(({ tool_use_id: id }) => this.#tools.endedWith(id));
    if (denied.length === 0) return { ok: true };
    const names = [...new Set(denied.map(({ tool_name: name }) => name))].join(", ");
    return failure("permission_denied", `Claude Code was not allowed to use ${names} and stopped there.`);
  }

  #judgeApiFailure(line: ResultLine, text: string): Failure {
    const { kind = "unknown", usageLimited = false, resetsAt = null } = this.#apiFailure ?? {};
    const message = cutText(this.#apiFailure?.text || text, 2000);
    if (usageLimited) return failure("usage_limit", message, resetsAt);
    return failure(reasonOf(kind, line.api_error_status ?? null), message);
  }
}

/** Which tools were called in which turn, and the last turn in which one did its work. */
class ToolLog {
  readonly #calls = new Map<string, { tool: string; turn: number }>();
  #turn = 0;
  #messageId: string | undefined;
  #lastGoodTurn = 0;

  /** A turn's calls come in several lines with the same message id. */
  called(id: string, tool: string, messageId: string | undefined): void {
    if (messageId === undefined || messageId !== this.#messageId) this.#turn++;
    this.#messageId = messageId;
    this.#calls.set(id, { tool, turn: this.#turn });
  }

  finished(id: string, failed: boolean): string {
    const call = this.#calls.get(id);
    if (call && !failed) this.#lastGoodTurn = Math.max(this.#lastGoodTurn, call.turn);
    return call?.tool ?? "unknown";
  }

  /** Whether no tool of a later turn has worked: the agent found no other way than this call. */
  endedWith(id: string): boolean {
    return (this.#calls.get(id)?.turn ?? Infinity) >= this.#lastGoodTurn;
  }
}

function readRequest({ request_id: id, request }: RequestLine): AgentEvent[] {
  if (request.subtype !== "can_use_tool") return [];
  return [{ type: "question_asked", id, tool: request.tool_name ?? "unknown", input: inputText(request.input) }];
}

function describeRetry({ error = "unknown", error_status: status, max_retries: max, retry_delay_ms: delayMs }: SystemLine): string {
  const cause = status ? `${error} (${status})` : `${error} (no answer)`;
  const again = delayMs === undefined ? "" : `; next try in ${(delayMs / 1000).toFixed(1)} s`;
  return `${cause}${again}${max === undefined ? "" : `, ${max} at most`}`;
}

/** Cache writes count as input: they are tokens that were read, at a price of their own, which is in the cost. */
function addUsage(before: Usage, { usage, model_usage_since_last_result: byModel }: ResultLine): Usage {
  if (!byModel) {
    return {
      inputTokens: before.inputTokens + (usage?.input_tokens ?? 0) + (usage?.cache_creation_input_tokens ?? 0),
      outputTokens: before.outputTokens + (usage?.output_tokens ?? 0),
      cacheReadTokens: before.cacheReadTokens + (usage?.cache_read_input_tokens ?? 0),
      // The one cost that is left counts from the session's start, and we don't know what the runs before this one cost.
      costUsdMicros: null,
    };
  }
  const models = Object.values(byModel);
  const total = (of: (model: (typeof models)[number]) => number) => models.reduce((sum, model) => sum + of(model), 0);
  return {
    inputTokens: before.inputTokens + total((model) => model.inputTokens + model.cacheCreationInputTokens),
    outputTokens: before.outputTokens + total((model) => model.outputTokens),
    cacheReadTokens: before.cacheReadTokens + total((model) => model.cacheReadInputTokens),
    costUsdMicros: (before.costUsdMicros ?? 0) + Math.round(total((model) => model.costUSD) * 1_000_000),
  };
}

const AUTH_ERRORS: ReadonlySet<string> = new Set([
  "authentication_failed",
  "oauth_org_not_allowed",
  "account_on_hold",
  "verification_required",
  "cloud_credential_error",
]);
/** The provider did not serve: nothing the agent or the task did. */
const OUTAGE_ERRORS: ReadonlySet<string> = new Set(["rate_limit", "overloaded", "server_error"]);

function reasonOf(kind: string, status: number | null): FailureReason {
  if (AUTH_ERRORS.has(kind)) return "auth";
  if (kind === "billing_error") return "usage_limit";
  if (OUTAGE_ERRORS.has(kind)) return "overloaded";
  return status === null ? "agent_error" : reasonOfStatus(status);
}

function toMs(epochSeconds: number | undefined): number | null {
  return epochSeconds === undefined ? null : Math.round(epochSeconds * 1000);
}

function timeOf(timestamp: string | undefined): number | null {
  const at = Date.parse(timestamp ?? "");
  return Number.isNaN(at) ? null : at;
}
