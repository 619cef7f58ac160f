import { cutReport, cutText, inputText } from "./agent-text.ts";
import type { AgentEvent, AgentVerdict, OutputReader } from "./driver.ts";
import { parseLine, type GeminiLine, type GeminiResult } from "./gemini-lines.ts";
import { concludeRun, failure, reasonOfStatus } from "./run-ending.ts";

/** Reads Gemini CLI's stream-json. While it repeats a failed request it says nothing. */
export class GeminiReader implements OutputReader {
  #lastMessage = "";
  /** Of the message that is being said. */
  #words = "";
  #broken = 0;
  #end: { verdict: AgentVerdict; report: string } | undefined;
  readonly #tools = new Map<string, string>();

  read(text: string): AgentEvent[] {
    if (text.trim() === "") return [];
    const line = parseLine(text);
    if (line === "unknown") return [];
    if (line === "broken") {
      this.#broken++;
      return [];
    }
    if (line.type === "message") {
      if (line.role === "assistant") this.#words += line.content;
      return [];
    }
    return [...this.#endMessage(), ...this.#readLine(line)];
  }

  conclude(exit: { exitCode: number | null; stderr: string }): { verdict: AgentVerdict; report: string } {
    return concludeRun("Gemini CLI", { end: this.#end, lastMessage: this.#words || this.#lastMessage, broken: this.#broken }, exit);
  }

  #endMessage(): AgentEvent[] {
    const words = this.#words;
    this.#words = "";
    if (words.trim() === "") return [];
    this.#lastMessage = words;
    return [{ type: "message", text: cutText(words) }];
  }

  #readLine(line: Exclude<GeminiLine, { type: "message" }>): AgentEvent[] {
    switch (line.type) {
      case "init":
        return [{ type: "session_started", sessionId: line.session_id, model: line.model ?? null }];
      case "tool_use":
        this.#tools.set(line.tool_id, line.tool_name);
        return [{ type: "tool_called", id: line.tool_id, tool: line.tool_name, input: inputText(line.parameters) }];
      case "tool_result":
        return [
          {
            type: "tool_finished",
            id: line.tool_id,
            tool: this.#tools.get(line.tool_id) ?? "unknown",
            failed: line.status !== "success",
          },
        ];
      case "result":
        return this.#readResult(line);
    }
  }

  #readResult(line: GeminiResult): AgentEvent[] {
    const { input = 0, cached = 0, output_tokens: output = 0 } = line.stats ?? {};
    const usage = { inputTokens: input, outputTokens: output, cacheReadTokens: cached, costUsdMicros: null };
    const verdict: AgentVerdict = line.status === "success" ? { ok: true } : judge(line);
    this.#end = { verdict, report: cutReport(this.#lastMessage) };
    return [
      { type: "usage", usage },
      { type: "turn_ended", ...this.#end, stdin: null },
    ];
  }
}

const LIMIT =
  /\b(?:exhausted|exceeded|reached)\b.{0,80}\b(?:quota|daily limit)\b|\b(?:quota|daily limit)\b.{0,80}\b(?:exhausted|exceeded|reached)\b/isu;
const LOGIN = /\bAPI key not valid\b|\bauthenticat|\bauth method\b/iu;
/** What is left of a connection that broke, by Node.js's words. */
const OUTAGE = /\bterminated\b|\bfetch failed\b|\bsocket\b|\bECONN|\bETIMEDOUT\b|\bEAI_AGAIN\b|\bpremature close\b/iu;

/** By the provider's status, which is in the message as it sent it: `[API Error: {"error":{"code":429,...}}]`. */
function judge({ status, error }: GeminiResult) {
  const message = error?.message ?? status;
  const text = `Gemini CLI failed: ${cutText(message, 2000)}`;
  const [, code] = /"code": ?(\d{3})\b/u.exec(message) ?? [];
  if (LIMIT.test(message)) return failure("usage_limit", text);
  if (LOGIN.test(message)) return failure("auth", text);
  if (code !== undefined) return failure(reasonOfStatus(Number(code)), text);
  return failure(OUTAGE.test(message) ? "overloaded" : "agent_error", text);
}
