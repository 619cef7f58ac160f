import { jsonSchema, streamText, type ModelMessage, type ToolSet } from "ai";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import type { AgentConfig } from "../contract/config.ts";
import type { BuiltinConfig } from "../contract/provider.ts";
import type { Model } from "./open-model.ts";
import { Patience } from "./patience.ts";
import type { Tool } from "./tools/tool.ts";

/** What a model is asked. */
export interface Question {
  readonly instructions: string;
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly Tool[];
  readonly effort: AgentConfig["effort"];
}

/** What a model says at once. */
export interface ModelAnswer {
  readonly text: string;
  /** In the order in which they are to be done. */
  readonly calls: readonly ToolCall[];
  readonly usage: CallUsage;
  /** It was cut off at the limit of tokens. */
  readonly isCut: boolean;
  /** What goes into the conversation; none: it said nothing. */
  readonly messages: readonly ModelMessage[];
}

export interface ToolCall {
  readonly id: string;
  readonly tool: string;
  readonly input: unknown;
  /** The model's own text for the input where that is no JSON. */
  readonly isBroken: boolean;
}

/** Tokens of one call. `inputTokens` are those that did not come from the cache. */
export interface CallUsage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
}

export interface Asking {
  readonly model: Model;
  readonly clock: Clock;
  readonly limits: Pick<BuiltinConfig, "outputTokensMax" | "firstChunkTimeoutMs" | "chunkTimeoutMs" | "callTimeoutMs">;
  /** Called for each part of the answer as it comes. */
  readonly onChunk: () => void;
}

/**
 * Asks a model once, streaming, and returns what it said. Nothing is tried again and no tool is used here. Throws what the
 * provider or the AI SDK threw (`readFailure` tells what it means), or the signal's reason.
 */
export async function askModel({ model, clock, limits, onChunk }: Asking, question: Question, signal: AbortSignal): Promise<ModelAnswer> {
  using patience = new Patience(clock, limits, signal);
  const { stream, response } = streamText({
    model,
    instructions: question.instructions,
    messages: [...question.messages],
    tools: toolSet(question.tools),
    ...(question.effort !== null && { reasoning: question.effort }),
    maxOutputTokens: limits.outputTokensMax,
    maxRetries: 0,
    abortSignal: patience.signal,
    providerOptions: PROVIDER_OPTIONS,
    // It is in the stream too; the default prints it.
    onError: () => {},
  });
  // Nobody else waits for it when the stream fails.
  Promise.resolve(response).catch(() => undefined);
  const heard = new Heard();
  for await (const part of stream) {
    if (heard.take(part)) {
      patience.heard();
      onChunk();
    }
  }
  patience.signal.throwIfAborted();
  return heard.answer((await response).messages);
}

/** Each provider looks at its own only. */
const PROVIDER_OPTIONS = {
  // Without it each turn pays for the whole conversation anew. Other providers have it in their cache unasked.
  anthropic: { cacheControl: { type: "ephemeral" } },
  // Nothing is kept there: a session goes on from our own transcript.
  openai: { store: false },
} as const;

type StreamPart = ReturnType<typeof streamText<ToolSet>>["stream"] extends AsyncIterable<infer Part> ? Part : never;
type FinishPart = Extract<StreamPart, { type: "finish-step" }>;

/** Gathers an answer from the parts of its stream. */
class Heard {
  #text = "";
  readonly #calls: ToolCall[] = [];
  #finish: FinishPart | undefined;

  /** Whether it is of what the model says. Throws what the stream failed with. */
  take(part: StreamPart): boolean {
    switch (part.type) {
      case "error":
        throw part.error;
      case "text-delta":
        this.#text += part.text;
        return true;
      case "tool-call":
        this.#calls.push({
          id: part.toolCallId,
          tool: part.toolName,
          input: part.input,
          isBroken: part.invalid === true && typeof part.input === "string",
        });
        return true;
      case "finish-step":
        this.#finish = part;
        return true;
      default:
        return CONTENT.has(part.type);
    }
  }

  answer(messages: readonly ModelMessage[]): ModelAnswer {
    if (this.#finish === undefined || this.#finish.finishReason === "interrupted") throw new BrokenOff();
    const { usage, finishReason } = this.#finish;
    if (finishReason === "content-filter") throw new AppError("invalid", "The provider's filter withheld the model's answer.");
    const cacheReadTokens = usage.inputTokenDetails.cacheReadTokens ?? 0;
    return {
      text: this.#text,
      calls: this.#calls,
      usage: {
        inputTokens: Math.max(0, (usage.inputTokens ?? 0) - cacheReadTokens),
        outputTokens: usage.outputTokens ?? 0,
        cacheReadTokens,
      },
      isCut: finishReason === "length",
      // The results of tools come from us, for calls that are not as they must be too.
      messages: messages.filter(({ role }) => role === "assistant"),
    };
  }
}

/** Parts of which the model says something, besides those that are taken. */
const CONTENT: ReadonlySet<string> = new Set(["reasoning-delta", "tool-input-delta", "tool-input-start"]);

/** The answer ended before its end. */
export class BrokenOff extends Error {
  constructor() {
    super("The model's answer broke off.");
  }
}

/** Inputs are checked by us, so that what a wrong one is told is ours too. */
function toolSet(tools: readonly Tool[]): ToolSet {
  return Object.fromEntries(
    tools.map(({ name, description, input }) => [
      name,
      { description, inputSchema: jsonSchema(z.toJSONSchema(input, { io: "input" }) as Parameters<typeof jsonSchema>[0]) },
    ]),
  );
}
