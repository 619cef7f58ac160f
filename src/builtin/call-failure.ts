import {
  AISDKError,
  APICallError,
  InvalidResponseDataError,
  JSONParseError,
  NoOutputGeneratedError,
  StreamProviderError,
  TypeValidationError,
} from "ai";
import { AppError, messageOf } from "../base/errors.ts";
import { safeLine } from "../base/text.ts";
import { BrokenOff } from "./ask-model.ts";
import { readRetryAfter } from "./retry-after.ts";

/** Why a call of a model failed. */
export interface CallFailure {
  readonly reason: "auth" | "overloaded" | "usage_limit" | "agent_error";
  readonly message: string;
  /** The HTTP status of its answer; null: there was none, or it was not what failed. */
  readonly status: number | null;
  /** Whether the same call may succeed later. */
  readonly mayRepeat: boolean;
  /** How long the provider wants to be left alone, milliseconds; null: it does not say. */
  readonly waitMs: number | null;
}

const MESSAGE_MAX = 500;

/**
 * What is meant by what a call of a model threw. No answer, a broken one and a late one are outages of the provider's. What
 * nobody knows is tried again too (a provider's code throws plain errors for garbage), but is no outage in the end, for which
 * a task would wait for ever.
 */
export function readFailure(thrown: unknown, now: number): CallFailure {
  if (APICallError.isInstance(thrown)) return ofCall(thrown, now);
  const message = safeLine(messageOf(thrown), MESSAGE_MAX);
  if (StreamProviderError.isInstance(thrown)) return ofStream(thrown);
  if (isOutage(thrown)) return outage(`The model's answer can't be used: ${message}`);
  const isKnown = thrown instanceof AppError || AISDKError.isInstance(thrown);
  return { reason: "agent_error", message, status: null, mayRepeat: !isKnown, waitMs: null };
}

function ofCall(thrown: APICallError, now: number): CallFailure {
  const { statusCode, responseHeaders = {}, responseBody = "", cause } = thrown;
  if (statusCode === undefined) return outage(`The provider can't be reached: ${describe(thrown.message, cause)}`);
  // The answer had begun.
  if (statusCode < 400) return outage(`The model's answer broke off: ${describe(thrown.message, cause)}`);
  const message = `The provider answered ${statusCode}: ${safeLine(thrown.message || responseBody, MESSAGE_MAX)}`;
  const waitMs = readRetryAfter({ headers: responseHeaders, body: responseBody }, now);
  return { ...judge(statusCode, responseBody), message, status: statusCode, waitMs };
}

/** The provider said in the middle of its answer that it could not go on. */
function ofStream({ message, statusCode, isRetryable }: StreamProviderError): CallFailure {
  const words = safeLine(message, MESSAGE_MAX);
  if (statusCode === undefined) return isRetryable ? outage(words) : { ...outage(words), mayRepeat: false };
  return { ...judge(statusCode, ""), message: `The provider broke off with ${statusCode}: ${words}`, status: statusCode, waitMs: null };
}

/** A limit of money, in the words of OpenAI and of Anthropic, which no short wait lifts. */
const USED_UP = /insufficient_quota|credit balance is too low/u;

function judge(status: number, body: string): Pick<CallFailure, "reason" | "mayRepeat"> {
  if (status === 402 || USED_UP.test(body)) return { reason: "usage_limit", mayRepeat: false };
  if (status === 401 || status === 403) return { reason: "auth", mayRepeat: false };
  if (status === 408 || status === 409 || status === 429 || status >= 500) return { reason: "overloaded", mayRepeat: true };
  return { reason: "agent_error", mayRepeat: false };
}

function outage(message: string): CallFailure {
  return { reason: "overloaded", message, status: null, mayRepeat: true, waitMs: null };
}

function isOutage(thrown: unknown): boolean {
  if (thrown instanceof BrokenOff) return true;
  if (thrown instanceof AppError) return thrown.code === "timeout";
  // What `fetch` throws for a connection that breaks.
  if (thrown instanceof TypeError && thrown.message === "terminated") return true;
  return AISDKError.isInstance(thrown) && UNREADABLE.some((kind) => kind.isInstance(thrown));
}

const UNREADABLE = [NoOutputGeneratedError, InvalidResponseDataError, JSONParseError, TypeValidationError];

function describe(message: string, cause: unknown): string {
  return safeLine([message, ...(cause === undefined ? [] : [messageOf(cause)])].join(" "), MESSAGE_MAX);
}
