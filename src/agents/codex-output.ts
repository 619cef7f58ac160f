import type { Usage } from "../contract/proof.ts";
import { cutReport, cutText, inputText } from "./agent-text.ts";
import { judgeCodexFailure } from "./codex-failure.ts";
import { parseLine, type CodexItem, type CodexLine, type CodexStart, type CodexTokens } from "./codex-lines.ts";
import type { AgentEvent, AgentVerdict, OutputReader } from "./driver.ts";
import { concludeRun } from "./run-ending.ts";

const NO_TOKENS: CodexTokens = { input_tokens: 0, cached_input_tokens: 0, output_tokens: 0 };
/** Items that are no use of a tool. */
const NO_TOOLS: ReadonlySet<string> = new Set(["agent_message", "reasoning", "error", "todo_list"]);

/** Reads the lines of `codex exec --json`. A command that fails at once may not be among them: Codex leaves it out. */
export class CodexReader implements OutputReader {
  #lastMessage = "";
  /** What the session had used before this run. */
  #before = NO_TOKENS;
  #started: CodexStart | undefined;
  #broken = 0;
  #end: { verdict: AgentVerdict; report: string } | undefined;
  readonly #called = new Set<string>();

  read(text: string): AgentEvent[] {
    if (text.trim() === "") return [];
    const line = parseLine(text);
    if (line === "unknown") return [];
    if (line === "broken") {
      this.#broken++;
      return [];
    }
    return this.#readLine(line);
  }

  conclude(exit: { exitCode: number | null; stderr: string }): { verdict: AgentVerdict; report: string } {
    return concludeRun("Codex", { end: this.#end, lastMessage: this.#lastMessage, broken: this.#broken }, exit);
  }

  #readLine(line: CodexLine): AgentEvent[] {
    switch (line.type) {
      case "drover.started":
        this.#started = line;
        return [];
      case "thread.started":
        return [{ type: "session_started", sessionId: line.thread_id, model: null }];
      case "item.started":
        return this.#readStart(line.item);
      case "item.completed":
        return this.#readItem(line.item);
      case "error":
        return readRetry(line.message);
      case "event_msg":
        this.#before = line.payload.info?.total_token_usage ?? NO_TOKENS;
        return [];
      case "turn.completed":
        return [{ type: "usage", usage: usageSince(this.#before, line.usage ?? NO_TOKENS) }, ...this.#endTurn({ ok: true })];
      case "turn.failed":
        return this.#endTurn(judgeCodexFailure(line.error.message, this.#started));
    }
  }

  #readStart(item: CodexItem): AgentEvent[] {
    if (NO_TOOLS.has(item.type) || this.#called.has(item.id)) return [];
    this.#called.add(item.id);
    const { id, type: tool, status: _, ...input } = item;
    return [{ type: "tool_called", id, tool, input: inputText(withoutResult(input)) }];
  }

  #readItem(item: CodexItem): AgentEvent[] {
    if (item.type === "agent_message" && item.text?.trim()) {
      this.#lastMessage = item.text;
      return [{ type: "message", text: cutText(item.text) }];
    }
    if (NO_TOOLS.has(item.type)) return [];
    const failed = item.status !== undefined && item.status !== "completed";
    return [...this.#readStart(item), { type: "tool_finished", id: item.id, tool: item.type, failed }];
  }

  #endTurn(verdict: AgentVerdict): AgentEvent[] {
    const report = cutReport(this.#lastMessage);
    this.#end = { verdict, report };
    return [{ type: "turn_ended", verdict, report, stdin: null }];
  }
}

/** What a tool was given, without what came of it. */
function withoutResult(item: Readonly<Record<string, unknown>>): unknown {
  const results = new Set(["aggregated_output", "exit_code", "result", "error"]);
  return Object.fromEntries(Object.entries(item).filter(([name]) => !results.has(name)));
}

/** `Reconnecting... 2/5 (unexpected status 529 ...)`. */
function readRetry(message: string): AgentEvent[] {
  const [, attempt] = /^Reconnecting\.\.\. (\d+)\/\d+/u.exec(message) ?? [];
  if (attempt === undefined) return [];
  const [, status] = /\bstatus:? (\d{3})\b/u.exec(message) ?? [];
  return [
    {
      type: "retrying",
      attempt: Number(attempt),
      message: cutText(message, 500),
      status: status === undefined ? undefined : Number(status),
    },
  ];
}

/** Codex counts from the session's start, and tells no cost. */
function usageSince(before: CodexTokens, now: CodexTokens): Usage {
  const cacheReadTokens = now.cached_input_tokens - before.cached_input_tokens;
  return {
    inputTokens: now.input_tokens - before.input_tokens - cacheReadTokens,
    outputTokens: now.output_tokens - before.output_tokens,
    cacheReadTokens,
    costUsdMicros: null,
  };
}
