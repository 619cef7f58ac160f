import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { eventually, failureOf, modelAt, workWith, type WorkOptions } from "../support/builtin-work.ts";

type Answer = (response: ServerResponse) => void;

/** A provider over Anthropic's wire that gives these answers, one after the other, the last one again and again. */
async function providerThat(...answers: readonly [Answer, ...Answer[]]) {
  let asked = 0;
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "text/event-stream" });
    answers[Math.min(asked++, answers.length - 1)]?.(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}`, asked: () => asked };
}

async function begin(options: WorkOptions, ...answers: readonly [Answer, ...Answer[]]) {
  const provider = await providerThat(...answers);
  return { ...(await workWith(await modelAt("anthropic", provider.address), options)), asked: provider.asked };
}

const send = (response: ServerResponse, ...events: readonly { type: string }[]) =>
  response.write(events.map((data) => `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`).join(""));
const usage = { input_tokens: 10, output_tokens: 1 };
const OPENED = { type: "message_start", message: { id: "m", type: "message", role: "assistant", model: "small-1", content: [], usage } };
const TEXT = { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } };
const words = (text: string) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } });
const CALL = { type: "content_block_start", index: 0, content_block: { type: "tool_use", id: "t1", name: "echo", input: {} } };
const input = (text: string) => ({ type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: text } });
const CLOSED = { type: "content_block_stop", index: 0 };
const end = (reason: string) => [
  { type: "message_delta", delta: { stop_reason: reason, stop_sequence: null }, usage },
  { type: "message_stop" },
];

const done: Answer = (response) => {
  send(response, OPENED, TEXT, words("Done."), CLOSED, ...end("end_turn"));
  response.end();
};
const garbage: Answer = (response) => response.end("data: }{ not json\n\n<html>bad gateway</html>\n\n");
const nothing: Answer = (response) => response.end();
const stopsInCall: Answer = (response) => {
  send(response, OPENED, CALL, input('{"text":"her'));
  response.end();
};
const saysOverloaded: Answer = (response) => {
  const error = { type: "overloaded_error", message: "Overloaded" };
  send(response, OPENED, TEXT, words("I be"), { type: "error", error } as { type: string });
  response.end();
};

const broken: [what: string, answer: Answer, reason: string][] = [
  ["is garbage", garbage, "agent_error"],
  ["is empty", nothing, "overloaded"],
  ["stops in the middle of a tool's call", stopsInCall, "overloaded"],
  ["says in its middle that the provider is overloaded", saysOverloaded, "overloaded"],
];
test.each(broken)("an answer that %s is asked for again, and no tool is used for it", async (_what, answer) => {
  const { work, lines, clock, asked } = await begin({}, answer, done);
  const working = work("Do it.");
  await eventually(() => clock.nextTimerMs).toBe(1500);
  expect(lines).toEqual([expect.objectContaining({ type: "retrying", attempt: 1 })]);
  clock.advance(1500);
  expect(await working).toBe("Done.");
  expect(lines.map(({ type }) => type)).toEqual(["retrying", "usage", "message"]);
  expect(asked()).toBe(2);
});

test.each(broken)("a provider whose every answer %s is given up in the end", async (_what, answer, reason) => {
  const { work, asked } = await begin({ limits: { retries: 0 } }, answer);
  expect(await failureOf(work("Do it."))).toMatchObject({ reason, retryAt: null });
  expect(asked()).toBe(1);
});

test("an answer that pauses for too long is given up", async () => {
  const { work, clock, chunks } = await begin({ limits: { retries: 0 } }, (response) => send(response, OPENED, TEXT, words("I th")));
  const failed = failureOf(work("Do it."));
  await eventually(chunks).toBe(1);
  expect(clock.nextTimerMs).toBe(60_000);
  clock.advance(60_000);
  expect(await failed).toMatchObject({
    message: "The model's answer can't be used: The model stopped in the middle of its answer, and nothing came within 60 s.",
    reason: "overloaded",
  });
});

test("an answer that never ends is given up, however lively it is", async () => {
  const responses: ServerResponse[] = [];
  const { work, clock, chunks } = await begin({ limits: { retries: 0, callTimeoutMs: 100_000 } }, (response) => {
    responses.push(response);
    send(response, OPENED, TEXT, words("and "));
  });
  const failed = failureOf(work("Do it."));
  for (const [heard, ms] of [
    [1, 50_000],
    [2, 49_000],
    [3, 1000],
  ] as const) {
    await eventually(chunks).toBe(heard);
    clock.advance(ms);
    for (const response of responses) send(response, words("and "));
  }
  expect(await failed).toMatchObject({
    message: "The model's answer can't be used: The model's answer did not come to an end within 100 s.",
    reason: "overloaded",
  });
});

test("a provider that can't be reached is an outage", async () => {
  const { address } = await providerThat(done);
  const free = createServer();
  free.listen(0, "127.0.0.1");
  await once(free, "listening");
  const { port } = free.address() as AddressInfo;
  free.close();
  await once(free, "close");
  const { work } = await workWith(await modelAt("anthropic", address.replace(/\d+$/u, String(port))), { limits: { retries: 0 } });
  expect(await failureOf(work("Do it."))).toMatchObject({ message: expect.stringContaining("can't be reached"), reason: "overloaded" });
});

test("an answer that was cut off at the limit is gone on with", async () => {
  const cut: Answer = (response) => {
    send(response, OPENED, TEXT, words("First half"), CLOSED, ...end("max_tokens"));
    response.end();
  };
  const { work, transcript } = await begin({}, cut, done);
  expect(await work("Do it.")).toBe("Done.");
  expect(transcript.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant"]);
});

test("who ends it waits for no answer", async () => {
  const { work, chunks } = await begin({}, (response) => send(response, OPENED, TEXT, words("I th")));
  const control = new AbortController();
  const working = work("Do it.", control.signal);
  await eventually(chunks).toBe(1);
  const reason = new Error("enough");
  control.abort(reason);
  await expect(working).rejects.toBe(reason);
});
