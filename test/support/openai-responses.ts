import { z } from "zod";
import type { ModelAnswer, ModelApi, StreamPart } from "../../src/demo/model-api.ts";
import type { ModelMessage, ModelRequest } from "../../src/demo/model-script.ts";
import { openaiError } from "./openai-error.ts";
import { toolCallOf } from "./model-tools.ts";

/** OpenAI's Responses API as Codex uses it (https://platform.openai.com/docs/api-reference/responses), with tools whose input is plain text. */
export const openaiResponses: ModelApi = {
  serves: (path) => path === "/v1/responses",
  aside: () => undefined,
  read,
  whole: (request, answer) => whole(request, answer, "completed"),
  stream,
  error: openaiError,
};

const Item = z.looseObject({
  type: z.string().optional(),
  role: z.string().optional(),
  content: z.union([z.string(), z.array(z.looseObject({ text: z.string().optional() }))]).nullish(),
});
const Body = z.looseObject({
  model: z.string(),
  stream: z.boolean().default(false),
  tools: z.array(z.looseObject({ type: z.string(), name: z.string().optional() })).default([]),
  input: z.array(Item),
});

function read(body: unknown): ModelRequest {
  const { model, stream: streamed, tools, input } = Body.parse(body);
  return { model, stream: streamed, tools: tools.map(({ type, name }) => name ?? type), messages: input.flatMap(messageOf) };
}

function messageOf({ type = "message", role, content }: z.infer<typeof Item>): ModelMessage[] {
  if (type.endsWith("_call_output")) return [{ role: "tool", text: "" }];
  if (type.endsWith("_call")) return [{ role: "assistant", text: "" }];
  const text = typeof content === "string" ? content : (content ?? []).map((part) => part.text ?? "").join("\n");
  return role === "user" || role === "assistant" ? [{ role, text }] : [];
}

function whole({ model, tools }: ModelRequest, answer: ModelAnswer, status: "in_progress" | "completed") {
  const { usage, serial } = answer;
  const output = status === "completed" ? itemsOf(answer, tools) : [];
  return {
    id: `resp_scripted_${serial}`,
    object: "response",
    created_at: 0,
    model,
    status,
    output,
    usage: {
      input_tokens: usage.inputTokens + usage.cacheReadTokens,
      input_tokens_details: { cached_tokens: usage.cacheReadTokens },
      output_tokens: usage.outputTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: usage.inputTokens + usage.cacheReadTokens + usage.outputTokens,
    },
  };
}

/** A tool of an MCP server, `mcp__drover__share`, is named apart from its server. */
function inNamespace(tool: string): { name: string; namespace?: string } {
  const [, namespace, name] = /^(mcp__[a-z]+)__(\w+)$/u.exec(tool) ?? [];
  return namespace === undefined || name === undefined ? { name: tool } : { name, namespace };
}

function itemsOf({ serial, text, calls }: ModelAnswer, offered: readonly string[]) {
  const message = {
    id: `msg_scripted_${serial}`,
    type: "message",
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text, annotations: [] }],
  };
  const called = calls.map((call, index) => {
    const tool = toolCallOf(call, offered);
    const of = {
      id: `item_scripted_${serial}_${index}`,
      call_id: `call_scripted_${serial}_${index}`,
      name: tool.name,
      status: "completed",
    };
    return "text" in tool
      ? { ...of, type: "custom_tool_call", input: tool.text }
      : { ...of, ...inNamespace(tool.name), type: "function_call", arguments: JSON.stringify(tool.input) };
  });
  return text === "" ? called : [message, ...called];
}

function stream(request: ModelRequest, answer: ModelAnswer): StreamPart[] {
  return [
    { type: "response.created", response: whole(request, answer, "in_progress") },
    ...itemsOf(answer, request.tools).flatMap((item, index) => [
      { type: "response.output_item.added", output_index: index, item: { ...item, status: "in_progress" } },
      ...(item.type === "message"
        ? [{ type: "response.output_text.delta", item_id: item.id, output_index: index, content_index: 0, delta: answer.text }]
        : []),
      { type: "response.output_item.done", output_index: index, item },
    ]),
    { type: "response.completed", response: whole(request, answer, "completed") },
  ].map((data) => ({ event: data.type, data }));
}
