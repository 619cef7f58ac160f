import { appendFileSync, mkdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { modelMessageSchema, type ModelMessage } from "ai";
import { AppError } from "../base/errors.ts";

/** What the results of tools say that a crash left without one. */
const LOST = "The agent was ended before this tool's result was known. Look what it did before you go on.";

/**
 * The conversation of one session, kept as it grows: a file of JSON lines, one a message, only ever added to. What is added is on
 * the disk when `add` returns.
 */
export class Transcript {
  readonly sessionId: string;
  readonly #file: string;
  readonly #messages: ModelMessage[] = [];

  private constructor(file: string, sessionId: string) {
    this.#file = file;
    this.sessionId = sessionId;
  }

  /** An empty one. */
  static begin(configDirectory: string, sessionId: string): Transcript {
    const folder = join(configDirectory, "sessions");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return new Transcript(fileOf(configDirectory, sessionId), sessionId);
  }

  /**
   * That of an earlier run. A last line that was cut short is taken away, and calls of tools without a result get one that says
   * so. Throws `not_found` when there is none, `invalid` when another line can't be read.
   */
  static resume(configDirectory: string, sessionId: string): Transcript {
    const transcript = new Transcript(fileOf(configDirectory, sessionId), sessionId);
    for (const message of readLines(transcript.#file)) transcript.#messages.push(message);
    const lost = unansweredCalls(transcript.#messages);
    if (lost.length > 0) transcript.add({ role: "tool", content: lost });
    return transcript;
  }

  get messages(): readonly ModelMessage[] {
    return this.#messages;
  }

  add(...messages: readonly ModelMessage[]): void {
    if (messages.length === 0) return;
    appendFileSync(this.#file, messages.map((message) => `${JSON.stringify(message)}\n`).join(""), { mode: 0o600 });
    this.#messages.push(...messages);
  }
}

function fileOf(configDirectory: string, sessionId: string): string {
  return join(configDirectory, "sessions", `${sessionId}.jsonl`);
}

function readLines(file: string): ModelMessage[] {
  const text = readText(file);
  const end = text.lastIndexOf("\n") + 1;
  if (end < text.length) truncateSync(file, Buffer.byteLength(text.slice(0, end)));
  const lines = text.slice(0, end).split("\n").slice(0, -1);
  return lines.map((line, index) => parse(line, `${file}:${index + 1}`));
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new AppError("not_found", `There is no session to go on with at ${file}. Start the task anew.`, { cause });
  }
}

function parse(line: string, place: string): ModelMessage {
  try {
    return modelMessageSchema.parse(JSON.parse(line));
  } catch (cause) {
    throw new AppError("invalid", `The session can't be gone on with: ${place} is no message. Start the task anew.`, { cause });
  }
}

type ToolResults = Extract<ModelMessage, { role: "tool" }>["content"];

function unansweredCalls(messages: readonly ModelMessage[]): ToolResults {
  const last = messages.at(-1);
  if (last?.role !== "assistant" || typeof last.content === "string") return [];
  return last.content.flatMap((part) =>
    part.type === "tool-call"
      ? [
          {
            type: "tool-result" as const,
            toolCallId: part.toolCallId,
            toolName: part.toolName,
            output: { type: "error-text" as const, value: LOST },
          },
        ]
      : [],
  );
}
