import { APICallError, InvalidPromptError } from "ai";
import { expect, test } from "vitest";
import { AppError } from "../base/errors.ts";
import { readFailure } from "./call-failure.ts";

const NOW = Date.UTC(2026, 0, 1);
const answered = (statusCode: number | undefined, responseBody = "", cause?: unknown) =>
  new APICallError({
    message: "No.",
    url: "https://api.example.com",
    requestBodyValues: {},
    ...(statusCode !== undefined && { statusCode }),
    responseBody,
    cause,
  });

const statuses: [status: number, body: string, reason: string, mayRepeat: boolean][] = [
  [400, "", "agent_error", false],
  [400, '{"error":{"message":"Your credit balance is too low"}}', "usage_limit", false],
  [401, "", "auth", false],
  [402, "", "usage_limit", false],
  [403, "", "auth", false],
  [404, "", "agent_error", false],
  [408, "", "overloaded", true],
  [413, "", "agent_error", false],
  [429, "", "overloaded", true],
  [429, '{"error":{"code":"insufficient_quota"}}', "usage_limit", false],
  [500, "", "overloaded", true],
  [503, "", "overloaded", true],
  [529, "", "overloaded", true],
];
test.each(statuses)("an answer with status %d %s is %s", (status, body, reason, mayRepeat) => {
  const message = `The provider answered ${status}: No.`;
  expect(readFailure(answered(status, body), NOW)).toEqual({ reason, message, status, mayRepeat, waitMs: null });
});

const outages: [what: string, thrown: unknown, message: string][] = [
  ["no answer", answered(undefined, "", new Error("ECONNREFUSED")), "The provider can't be reached: No. ECONNREFUSED"],
  ["half an answer", answered(200, "", new Error("terminated")), "The model's answer broke off: No. terminated"],
  ["a broken connection", new TypeError("terminated"), "The model's answer can't be used: terminated"],
  ["a late answer", new AppError("timeout", "Nothing came."), "The model's answer can't be used: Nothing came."],
];
test.each(outages)("%s is an outage", (_what, thrown, message) => {
  expect(readFailure(thrown, NOW)).toEqual({ reason: "overloaded", message, status: null, mayRepeat: true, waitMs: null });
});

test("what is our own doing is not tried again, and what nobody knows is", () => {
  const ours = new InvalidPromptError({ prompt: "", message: "empty" });
  expect(readFailure(ours, NOW)).toMatchObject({ reason: "agent_error", mayRepeat: false });
  expect(readFailure(new AppError("invalid", "withheld"), NOW)).toMatchObject({ reason: "agent_error", mayRepeat: false });
  expect(readFailure(new Error("what?"), NOW)).toMatchObject({ reason: "agent_error", message: "what?", mayRepeat: true });
});

test("a provider's words come on one line, without control characters", () => {
  expect(readFailure(new Error("a\u001b[31m\nb"), NOW).message).toBe("a b");
});
