import { once } from "node:events";
import { request } from "node:http";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../base/clock.ts";
import { locate, type ModelScript, type ModelStep } from "./model-script.ts";
import { startModelServer } from "./model-server.ts";

async function open(steps: readonly ModelStep[]) {
  const script: ModelScript = { scenarios: [{ when: "TASK:", steps }] };
  const server = await startModelServer({ script, listen: { port: 0 }, clock: systemClock });
  onTestFinished(() => server.close());
  const post = (body: unknown, path = "/v1/messages?beta=true") =>
    fetch(`${server.address}${path}`, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) });
  return { server, post };
}

const user = (text: string) => ({ role: "user", content: text });
const asked = (messages: readonly unknown[], more: object = {}) => ({ model: "m", tools: [{ name: "Write" }], messages, ...more });
const toolTurn = (id: string) => [
  { role: "assistant", content: [{ type: "tool_use", id, name: "Write", input: {} }] },
  { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: "ok" }] },
];
const steps: ModelStep[] = [
  { text: "First.", calls: [{ kind: "write", path: "a.txt", content: "x" }], usage: { cacheReadTokens: 7 } },
  {
    calls: [
      { kind: "run", command: "ls" },
      { kind: "tool", tool: "Task", input: { prompt: "p" } },
    ],
  },
  { text: "Last." },
];

describe("the scripted model", () => {
  test("takes its turn from the conversation alone", async () => {
    const { post } = await open(steps);
    const contentOf = async (...messages: unknown[]) => ((await (await post(asked(messages))).json()) as { content: unknown }).content;
    const third = [user("TASK: do it"), ...toolTurn("1"), ...toolTurn("2")];
    expect(await contentOf(...third)).toEqual([{ type: "text", text: "Last." }]);
    expect(await contentOf(user("TASK: do it"))).toMatchObject([
      { text: "First." },
      { name: "Write", input: { file_path: "a.txt", content: "x" } },
    ]);
    expect(await contentOf(user("TASK: do it"), ...toolTurn("1"))).toMatchObject([
      { name: "Bash", input: { command: "ls" } },
      { name: "Task", input: { prompt: "p" } },
    ]);
    expect(await contentOf(...third, user("TASK: once more"))).toMatchObject([{ text: "First." }, {}]);
    expect(await contentOf(...third, ...toolTurn("3"))).toEqual([{ type: "text", text: 'The script "TASK:" has no step 4.' }]);
  });

  test("starts a scenario of several texts only by a message that holds all of them", async () => {
    const scenarios = [
      { when: ["RED", "slugs"], steps: [{ text: "A test of slugs." }] },
      { when: ["RED"], steps: [{ text: "Another test." }] },
    ];
    const of = (text: string) => locate({ scenarios }, { model: "", stream: false, tools: ["write"], messages: [{ role: "user", text }] });
    expect(of("RED, for slugs")).toEqual({ scenario: "RED, slugs", turn: 0, step: { text: "A test of slugs." } });
    expect(of("RED, for names").step).toEqual({ text: "Another test." });
    expect(of("GREEN, for slugs").scenario).toBe("(none)");
  });

  test("says so when no scenario fits, and gives a title when no tools are offered", async () => {
    const { post, server } = await open(steps);
    expect(await (await post(asked([user("hello")]))).json()).toMatchObject({
      content: [{ type: "text", text: "No scenario of the script matches this prompt." }],
      stop_reason: "end_turn",
    });
    expect(await (await post(asked([user("TASK: do it")], { tools: [] }))).json()).toMatchObject({ content: [{ text: "Scripted title" }] });
    expect(server.journal.map(({ scenario }) => scenario)).toEqual(["(none)", "(no tools)"]);
  });

  test("streams the same answer as events", async () => {
    const { post } = await open(steps);
    const response = await post(asked([user("TASK: do it")], { stream: true }));
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const events = (await response.text())
      .trim()
      .split("\n\n")
      .map((event) => JSON.parse(event.split("\ndata: ")[1] ?? "") as { type: string });
    const block = (index: number) => ["content_block_start", "content_block_delta", "content_block_stop"].map((type) => ({ type, index }));
    expect(events).toMatchObject([
      { type: "message_start", message: { usage: { input_tokens: 1000, cache_read_input_tokens: 7 } } },
      ...block(0),
      ...block(1),
      { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { output_tokens: 50 } },
      { type: "message_stop" },
    ]);
    expect(events[5]).toMatchObject({ delta: { type: "input_json_delta", partial_json: '{"file_path":"a.txt","content":"x"}' } });
  });

  test("fails as often as the step says, then answers", async () => {
    const { post } = await open([
      { text: "Now.", trouble: { kind: "error", status: 529, message: "busy", headers: { "retry-after": "3" }, times: 2 } },
    ]);
    const once = await post(asked([user("TASK: do it")]));
    expect([once.status, once.headers.get("retry-after"), await once.json()]).toEqual([
      529,
      "3",
      { type: "error", error: { type: "overloaded_error", message: "busy" } },
    ]);
    expect((await post(asked([user("TASK: do it")]))).status).toBe(529);
    expect(await (await post(asked([user("TASK: do it")]))).json()).toMatchObject({ content: [{ text: "Now." }] });
  });

  test.each([true, false])("breaks off in the middle of an answer (stream: %s)", async (stream) => {
    const { post } = await open([{ text: "Never whole.", trouble: { kind: "cut" } }]);
    const whole = async () => (await post(asked([user("TASK: do it")], { stream }))).text();
    await expect(whole()).rejects.toThrow(/terminated|fetch failed/u);
  });

  test("that hangs or waits lets go of those who wait when it is closed", async () => {
    const { post, server } = await open([{ trouble: { kind: "hang" } }]);
    const slow = await open([{ text: "Late.", delayMs: 600_000 }]);
    const waiting = [post(asked([user("TASK: do it")])), slow.post(asked([user("TASK: do it")]))].map((answer) =>
      answer.then(
        () => "answered",
        () => "let go",
      ),
    );
    while (server.journal.length + slow.server.journal.length < 2) await new Promise(setImmediate);
    await server.close();
    await slow.server.close();
    expect(await Promise.all(waiting)).toEqual(["let go", "let go"]);
  });

  test("counts tokens, is there for a look, and refuses everything else", async () => {
    const { post, server } = await open(steps);
    expect(await (await post({}, "/v1/messages/count_tokens")).json()).toEqual({ input_tokens: 1000 });
    expect((await fetch(server.address, { method: "HEAD" })).status).toBe(200);
    expect((await post({}, "/v1/elsewhere")).status).toBe(404);
    expect((await post("not json")).status).toBe(400);
    expect((await post({ model: "m" })).status).toBe(400);
    expect(server.journal).toEqual([]);
  });

  test("stops who goes round in circles", async () => {
    const { post } = await open([{ text: "Again." }]);
    const body = JSON.stringify(asked([user("TASK: do it")]));
    let response = await post(body);
    for (let count = 1; count <= 1000; count++) {
      await response.arrayBuffer();
      response = await post(body);
    }
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { message: '"TASK:" has been asked for turn 1 too often.' } },
    ]);
  });

  test("listens on a unix socket, and keeps the latest 200 requests", async () => {
    const folder = await mkdtemp(join(tmpdir(), "model-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const socket = join(folder, "socket");
    const script = { scenarios: [{ when: "TASK:", steps }] };
    await using server = await startModelServer({ script, listen: { socket }, clock: systemClock });
    expect(server.address).toBe(socket);
    for (let count = 0; count < 201; count++) {
      const sent = request({ socketPath: socket, path: "/v1/messages", method: "POST" });
      sent.end(JSON.stringify(asked([user(`TASK: ${count}`)])));
      const [response] = (await once(sent, "response")) as [NodeJS.ReadableStream];
      await once(response.resume(), "end");
    }
    expect(server.journal).toHaveLength(200);
    expect(server.journal[0]?.body).toContain("TASK: 1");
    await server.close();
    await expect(stat(socket)).rejects.toThrow("ENOENT");
  });
});
