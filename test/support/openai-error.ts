const kinds: Readonly<Record<number, { type: string; code: string | null }>> = {
  401: { type: "invalid_request_error", code: "invalid_api_key" },
  404: { type: "invalid_request_error", code: "model_not_found" },
  429: { type: "rate_limit_error", code: "rate_limit_exceeded" },
};

/** A failure as OpenAI tells it (https://platform.openai.com/docs/guides/error-codes). */
export function openaiError(status: number, message: string) {
  return { error: { message, param: null, ...(kinds[status] ?? { type: "server_error", code: null }) } };
}
