/**
 * A real agent in small, for the `command` driver: asks a model over Anthropic's Messages API on the unix socket
 * MODEL_SOCKET or at MODEL_BASE_URL, writes files and runs commands with tools of its own, asks before each when DROVER_PERMISSIONS is `ask`,
 * keeps its sessions in DROVER_CONFIG_DIRECTORY, and tells Drover about it line by line.
 */
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { askModel, useTool, type Block, type Message } from "../support/small-model.ts";

const { DROVER_PROMPT_FILE, DROVER_CONFIG_DIRECTORY = ".", DROVER_SESSION_ID, DROVER_PERMISSIONS } = process.env;
const { MODEL_SOCKET, MODEL_BASE_URL = MODEL_SOCKET ?? "" } = process.env;
const REASONS: Record<number, string> = { 0: "overloaded", 401: "auth", 403: "auth", 429: "overloaded", 529: "overloaded" };

const say = (line: object) => console.log(JSON.stringify(line));
const answers = new Map<string, (answer: { allow: boolean; message: string }) => void>();
const prompt = await openStdin();
if (prompt !== readFileSync(DROVER_PROMPT_FILE ?? "", "utf8")) throw new Error("stdin and DROVER_PROMPT_FILE differ");

const sessionId = DROVER_SESSION_ID ?? randomUUID();
const sessionFile = join(DROVER_CONFIG_DIRECTORY, `${sessionId}.json`);
const usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, costUsdMicros: 0 };
say({ type: "session_started", sessionId, model: "small-1" });
const messages: Message[] = existsSync(sessionFile) ? (JSON.parse(readFileSync(sessionFile, "utf8")) as Message[]) : [];
messages.push({ role: "user", content: prompt });
say({ type: "turn_ended", ...(await work()) });

async function openStdin(): Promise<string> {
  const lines = createInterface({ input: process.stdin });
  return new Promise((resolve) => {
    lines.on("line", (text) => {
      const line = JSON.parse(text) as { type: string; prompt: string; id: string; allow: boolean; message: string };
      if (line.type === "prompt") resolve(line.prompt);
      if (line.type === "answer") answers.get(line.id)?.(line);
      // stdin never ends by itself; this is the word to go.
      if (line.type === "end") process.exit(0);
    });
  });
}

async function work(): Promise<{ verdict: object; report?: string }> {
  let denied: string | undefined;
  for (;;) {
    const answer = await askModel(MODEL_BASE_URL, messages, (attempt, status) =>
      say({ type: "retrying", attempt, message: `The model answered ${status}.` }),
    );
    if ("status" in answer) {
      const reason = REASONS[answer.status] ?? "agent_error";
      return { verdict: { ok: false, reason, message: `The model answered ${answer.status}.` } };
    }
    messages.push({ role: "assistant", content: answer.content });
    writeFileSync(sessionFile, JSON.stringify(messages));
    usage.inputTokens += answer.usage.input_tokens;
    usage.outputTokens += answer.usage.output_tokens;
    usage.cacheReadTokens += answer.usage.cache_read_input_tokens;
    usage.costUsdMicros += 4 * answer.usage.input_tokens + 20 * answer.usage.output_tokens;
    say({ type: "usage", usage });
    const text = answer.content.map((block) => block.text ?? "").join("");
    if (text !== "") say({ type: "message", text });
    const calls = answer.content.filter((block) => block.type === "tool_use");
    if (calls.length === 0 && denied !== undefined) {
      return { verdict: { ok: false, reason: "permission_denied", message: `I may not use ${denied}.` } };
    }
    if (calls.length === 0) return { verdict: { ok: true }, report: text };
    const results: Block[] = [];
    for (const { id = "", name: tool = "", input = {} } of calls) {
      say({ type: "tool_called", id, tool, input });
      const refusal = DROVER_PERMISSIONS === "ask" ? await askPerson(tool, input) : undefined;
      denied = refusal === undefined ? undefined : tool;
      const result = refusal === undefined ? await useTool(input) : { failed: true, output: refusal };
      say({ type: "tool_finished", id, tool, failed: result.failed });
      results.push({ type: "tool_result", tool_use_id: id, content: result.output });
    }
    messages.push({ role: "user", content: results });
  }
}

async function askPerson(tool: string, input: object): Promise<string | undefined> {
  const id = randomUUID();
  const { allow, message } = await new Promise<{ allow: boolean; message: string }>((resolve) => {
    answers.set(id, resolve);
    say({ type: "question_asked", id, tool, input });
  });
  return allow ? undefined : message;
}
