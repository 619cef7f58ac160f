import { z } from "zod";
import type { ModelAnswer, ModelApi, StreamPart } from "./model-api.ts";
import type { ModelMessage, ModelRequest } from "./model-script.ts";
import { namedCall } from "./model-tools.ts";

/** Anthropic's Messages API as Claude Code uses it (https://docs.claude.com/en/api/messages), with streaming. */
export const anthropicMessages: ModelApi = {
  serves: (path) => path === "/v1/messages",
  aside: (path) => (path === "/v1/messages/count_tokens" ? { input_tokens: 1000 } : undefined),
  read,
  whole: (request, answer) => ({ ...openMessage(request, answer), content: contentOf(request, answer), ...endOf(answer) }),
  stream,
  error: (status, message) => ({ type: "error", error: { type: errorTypes[status] ?? "api_error", message } }),
};

const errorTypes: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  529: "overloaded_error",
};

const Block = z.looseObject({ type: z.string(), text: z.string().optional() });
const Text = z.union([z.string(), z.array(Block)]);
const Body = z.looseObject({
  model: z.string(),
  stream: z.boolean().default(false),
  tools: z.array(z.looseObject({ name: z.string() })).default([]),
  messages: z.array(z.looseObject({ role: z.enum(["user", "assistant", "system"]), content: Text })),
});

function read(body: unknown): ModelRequest {
  const { model, stream, tools, messages } = Body.parse(body);
  return {
    model,
    stream,
    tools: tools.map(({ name }) => name),
    messages: messages.flatMap(({ role, content }): ModelMessage[] => {
      const text = textOf(content);
      if (role === "system") return [];
      if (role === "assistant") return [{ role, text }];
      const hasResults = typeof content !== "string" && content.some(({ type }) => type === "tool_result");
      return [...(hasResults ? [{ role: "tool" as const, text: "" }] : []), ...(text === "" ? [] : [{ role, text }])];
    }),
  };
}

function textOf(content: z.infer<typeof Text>): string {
  return typeof content === "string" ? content : content.map(({ text }) => text ?? "").join("\n");
}

function openMessage({ model }: ModelRequest, { serial, usage }: ModelAnswer) {
  return {
    id: `msg_scripted_${serial}`,
    type: "message",
    role: "assistant",
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: {
      input_tokens: usage.inputTokens,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: usage.cacheReadTokens,
      output_tokens: 1,
    },
  };
}

function endOf({ calls, usage }: ModelAnswer) {
  return {
    stop_reason: calls.length > 0 ? "tool_use" : "end_turn",
    stop_sequence: null,
    usage: { input_tokens: usage.inputTokens, cache_read_input_tokens: usage.cacheReadTokens, output_tokens: usage.outputTokens },
  };
}

type Content = { type: "text"; text: string } | { type: "tool_use"; id: string; name: string; input: Readonly<Record<string, unknown>> };

function contentOf({ tools }: ModelRequest, { serial, text, calls }: ModelAnswer): Content[] {
  return [
    ...(text === "" ? [] : [{ type: "text" as const, text }]),
    ...calls.map((call, index) => ({ type: "tool_use" as const, id: `toolu_scripted_${serial}_${index}`, ...namedCall(call, tools) })),
  ];
}

function stream(request: ModelRequest, answer: ModelAnswer): StreamPart[] {
  const { usage, ...delta } = endOf(answer);
  return [
    { type: "message_start", message: openMessage(request, answer) },
    ...contentOf(request, answer).flatMap((content, index) => [
      { type: "content_block_start", index, content_block: content.type === "text" ? { ...content, text: "" } : { ...content, input: {} } },
      {
        type: "content_block_delta",
        index,
        delta:
          content.type === "text"
            ? { type: "text_delta", text: content.text }
            : { type: "input_json_delta", partial_json: JSON.stringify(content.input) },
      },
      { type: "content_block_stop", index },
    ]),
    { type: "message_delta", delta, usage },
    { type: "message_stop" },
  ].map((data) => ({ event: data.type, data }));
}
