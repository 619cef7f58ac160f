import { z } from "zod";
import type { ModelAnswer, ModelApi, StreamPart } from "../../src/demo/model-api.ts";
import type { ModelRequest } from "../../src/demo/model-script.ts";
import { openaiError } from "./openai-error.ts";
import { toolCallOf } from "./model-tools.ts";

/** OpenAI's Chat Completions API as OpenCode uses it (https://platform.openai.com/docs/api-reference/chat). */
export const openaiChat: ModelApi = {
  serves: (path) => path === "/v1/chat/completions",
  aside: () => undefined,
  read,
  whole: (request, answer) => ({
    ...head(request, answer, "chat.completion"),
    choices: [{ index: 0, message: messageOf(request, answer), finish_reason: reasonOf(answer) }],
    usage: usageOf(answer),
  }),
  stream,
  error: openaiError,
};

const Body = z.looseObject({
  model: z.string(),
  stream: z.boolean().default(false),
  tools: z.array(z.looseObject({ function: z.looseObject({ name: z.string() }) })).default([]),
  messages: z.array(
    z.looseObject({
      role: z.enum(["system", "developer", "user", "assistant", "tool"]),
      content: z.union([z.string(), z.array(z.looseObject({ text: z.string().optional() }))]).nullish(),
    }),
  ),
});

function read(body: unknown): ModelRequest {
  const { model, stream: streamed, tools, messages } = Body.parse(body);
  return {
    model,
    stream: streamed,
    tools: tools.map((tool) => tool.function.name),
    messages: messages.flatMap(({ role, content }) => {
      const text = typeof content === "string" ? content : (content ?? []).map((part) => part.text ?? "").join("\n");
      return role === "system" || role === "developer" ? [] : [{ role, text }];
    }),
  };
}

function head({ model }: ModelRequest, { serial }: ModelAnswer, object: string) {
  return { id: `chatcmpl-scripted-${serial}`, object, created: 0, model };
}

function messageOf({ tools }: ModelRequest, { serial, text, calls }: ModelAnswer) {
  const called = calls.map((call, index) => {
    const tool = toolCallOf(call, tools);
    const input = "text" in tool ? tool.text : JSON.stringify(tool.input);
    return { index, id: `call_scripted_${serial}_${index}`, type: "function", function: { name: tool.name, arguments: input } };
  });
  return { role: "assistant", content: text, ...(called.length > 0 && { tool_calls: called }) };
}

const reasonOf = ({ calls }: ModelAnswer) => (calls.length > 0 ? "tool_calls" : "stop");

function usageOf({ usage: { inputTokens, outputTokens, cacheReadTokens } }: ModelAnswer) {
  return {
    prompt_tokens: inputTokens + cacheReadTokens,
    prompt_tokens_details: { cached_tokens: cacheReadTokens },
    completion_tokens: outputTokens,
    total_tokens: inputTokens + cacheReadTokens + outputTokens,
  };
}

function stream(request: ModelRequest, answer: ModelAnswer): StreamPart[] {
  const chunk = (choices: readonly object[], more: object = {}) => ({
    event: null,
    data: { ...head(request, answer, "chat.completion.chunk"), choices, ...more },
  });
  return [
    chunk([{ index: 0, delta: messageOf(request, answer), finish_reason: null }]),
    chunk([{ index: 0, delta: {}, finish_reason: reasonOf(answer) }]),
    chunk([], { usage: usageOf(answer) }),
  ];
}
