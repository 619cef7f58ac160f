import { z } from "zod";
import type { ModelAnswer, ModelApi } from "../../src/demo/model-api.ts";
import type { ModelMessage, ModelRequest } from "../../src/demo/model-script.ts";
import { toolCallOf } from "./model-tools.ts";

/** Google's Gemini API as Gemini CLI uses it (https://ai.google.dev/api/generate-content). The path names model and kind of answer. */
export const geminiContent: ModelApi = {
  serves: (path) => ASKED.test(path),
  aside: (path) => (path.endsWith(":countTokens") ? { totalTokens: 1000 } : undefined),
  read,
  whole,
  stream: (request, answer) => {
    const words = { candidates: [{ index: 0, content: { role: "model", parts: [{ text: answer.text }] } }], modelVersion: request.model };
    const parts = [...(answer.text === "" ? [] : [words]), whole(request, { ...answer, text: "" })];
    return parts.map((data) => ({ event: null, data }));
  },
  error: (status, message) => ({ error: { code: status, message, status: names[status] ?? "INTERNAL" } }),
};

const ASKED = /^\/v1(?:beta)?\/models\/([^/:]+):(generateContent|streamGenerateContent)$/u;

const names: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  503: "UNAVAILABLE",
};

const Part = z.looseObject({ text: z.string().optional(), functionResponse: z.unknown().optional() });
const Body = z.looseObject({
  contents: z.array(z.looseObject({ role: z.string().default("user"), parts: z.array(Part) })),
  tools: z.array(z.looseObject({ functionDeclarations: z.array(z.looseObject({ name: z.string() })).default([]) })).default([]),
});

function read(body: unknown, path: string): ModelRequest {
  const [, model = "", kind] = ASKED.exec(path) ?? [];
  const { contents, tools } = Body.parse(body);
  return {
    model,
    stream: kind === "streamGenerateContent",
    tools: tools.flatMap(({ functionDeclarations }) => functionDeclarations.map(({ name }) => name)),
    messages: contents.map(({ role, parts }): ModelMessage => {
      const text = parts.map((part) => part.text ?? "").join("\n");
      if (parts.some((part) => part.functionResponse !== undefined)) return { role: "tool", text };
      return { role: role === "model" ? "assistant" : "user", text };
    }),
  };
}

function whole({ model, tools }: ModelRequest, { text, calls, usage }: ModelAnswer) {
  const called = calls.map((call) => {
    const tool = toolCallOf(call, tools);
    return { functionCall: { name: tool.name, args: "text" in tool ? { text: tool.text } : tool.input } };
  });
  return {
    candidates: [{ index: 0, content: { role: "model", parts: [...(text === "" ? [] : [{ text }]), ...called] }, finishReason: "STOP" }],
    usageMetadata: {
      promptTokenCount: usage.inputTokens + usage.cacheReadTokens,
      cachedContentTokenCount: usage.cacheReadTokens,
      candidatesTokenCount: usage.outputTokens,
      totalTokenCount: usage.inputTokens + usage.cacheReadTokens + usage.outputTokens,
    },
    modelVersion: model,
  };
}
