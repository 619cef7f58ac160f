import { expect, test } from "vitest";
import { everyRoute } from "./each-route.ts";
import { runToken } from "../../src/base/run-token.ts";
import { examples } from "../../src/api/examples.ts";
import { exchange, serve, stall, token, tokenOfRun, type Serving } from "./serving.ts";

const guarded = everyRoute.filter(({ route }) => route.auth === "token");
const ofRuns = everyRoute.filter(({ route }) => route.auth === "run");
const open = everyRoute.filter(({ route }) => route.auth === "none" || route.auth === "signature");

/** Sends a request byte by byte as we want it, which `fetch` does not let us, and returns the status of the answer. */
async function statusOf(
  served: Serving,
  request: { method: string; path: string; body?: string | undefined },
  headers: Record<string, string>,
): Promise<number> {
  const lines = Object.entries({
    host: `127.0.0.1:${served.port}`,
    connection: "close",
    ...headers,
    ...(request.body !== undefined && { "content-length": String(Buffer.byteLength(request.body)) }),
  });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const answer = await exchange(served.port, `${request.method} ${request.path} HTTP/1.1\r\n${head}\r\n${request.body ?? ""}`, (text) =>
    text.includes("text/event-stream"),
  );
  return Number(/^HTTP\/1.1 (\d{3})/.exec(answer)?.[1]);
}

async function statusesOf(served: Serving, requests: typeof everyRoute, headers: Record<string, string>): Promise<Record<string, number>> {
  const entries = requests.map(async ({ name, route, path, body }) => [
    name,
    await statusOf(served, { method: route.method, path, body }, headers),
  ]);
  return Object.fromEntries(await Promise.all(entries)) as Record<string, number>;
}

function allOf(requests: typeof everyRoute, status: number): Record<string, number> {
  return Object.fromEntries(requests.map(({ name }) => [name, status]));
}

const json = { "content-type": "application/json" };
const bearer = { authorization: `Bearer ${token}` };

test.each([
  ["no token", {}],
  ["another token", { authorization: "Bearer wrong" }],
  ["the token and more", { authorization: `Bearer ${token}x` }],
  ["an empty token", { authorization: "Bearer " }],
  ["the token as a password", { authorization: `Basic ${Buffer.from(`:${token}`).toString("base64")}` }],
  ["the token in a cookie", { cookie: `token=${token}` }],
])("with %s every route but health and the webhook answers 401", async (_, headers) => {
  await using served = await serve();
  expect(await statusesOf(served, guarded, { ...json, ...headers })).toEqual(allOf(guarded, 401));
  expect(open.map(({ name }) => name)).toEqual(["health", "receiveGithubWebhook"]);
  expect(await statusOf(served, { method: "GET", path: `/api/tasks?token=${token}&access_token=${token}` }, {})).toBe(401);
  expect(served.memory.asked).toEqual([]);
});

test.each([
  "evil.example",
  "evil.example:PORT",
  "127.0.0.1",
  "127.0.0.1:1",
  "localhost.evil.example:PORT",
  "10.0.0.1:PORT",
  "127.0.0.1:PORT@evil.example",
  "[::2]:PORT",
])("the name %s is not ours, on any route and with the token", async (host) => {
  await using served = await serve();
  const statuses = await statusesOf(served, everyRoute, { ...json, ...bearer, host: host.replace("PORT", String(served.port)) });
  for (const status of Object.values(statuses)) expect([400, 403]).toContain(status);
  expect(served.memory.asked).toEqual([]);
});

test.each(["127.0.0.1:PORT", "localhost:PORT", "LOCALHOST:PORT", "[::1]:PORT"])("the name %s is ours", async (host) => {
  await using served = await serve();
  expect(
    await statusOf(served, { method: "GET", path: "/api/daemon" }, { ...bearer, host: host.replace("PORT", String(served.port)) }),
  ).toBe(200);
});

test.each([
  "https://evil.example",
  "http://localhost:PORT",
  "http://127.0.0.1:8000",
  "null",
  "file://",
  "https://allowed.example.evil.example",
])("a web page of %s reaches no route, even with the token", async (origin) => {
  await using served = await serve({ allowedOrigins: ["https://allowed.example"] });
  const headers = { ...json, ...bearer, origin: origin.replace("PORT", String(served.port)), "sec-fetch-site": "cross-site" };
  expect(await statusesOf(served, everyRoute, headers)).toEqual(allOf(everyRoute, 403));
  expect(served.memory.asked).toEqual([]);
});

test.each(["cross-site", "same-site"])("what a web page loads without saying its origin (%s) reaches no route", async (site) => {
  await using served = await serve();
  expect(await statusesOf(served, everyRoute, { ...json, ...bearer, "sec-fetch-site": site })).toEqual(allOf(everyRoute, 403));
});

test("a preflight from a strange origin is allowed nothing; from one of the settings it is", async () => {
  await using served = await serve({ allowedOrigins: ["https://allowed.example"] });
  const ask = (origin: string) =>
    served.request("/api/tasks", { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST" } });
  const strange = await ask("https://evil.example");
  expect([strange.status, [...strange.headers.keys()].filter((name) => name.startsWith("access-control"))]).toEqual([403, []]);
  const known = await ask("https://allowed.example");
  expect([known.status, known.headers.get("access-control-allow-origin"), known.headers.get("access-control-allow-headers")]).toEqual([
    204,
    "https://allowed.example",
    "authorization, content-type, last-event-id",
  ]);
  const answered = await served.request("/api/tasks", { headers: { origin: "https://allowed.example", "sec-fetch-site": "cross-site" } });
  expect([answered.status, answered.headers.get("access-control-allow-origin"), answered.headers.get("vary")]).toEqual([
    200,
    "https://allowed.example",
    "origin",
  ]);
});

test("what is for one run's agent opens by the token of that very run and claim alone, and that token opens nothing else", async () => {
  await using served = await serve();
  const { id } = examples.getRun.response;
  const wrong = [
    token,
    "",
    runToken(token, { id, epoch: 2 }),
    runToken(token, { id: `${id}0`, epoch: 1 }),
    runToken("other", { id, epoch: 1 }),
  ];
  expect(ofRuns.map(({ name }) => name)).toEqual(["receiveHook", "askBroker"]);
  for (const each of wrong)
    expect(await statusesOf(served, ofRuns, { ...json, authorization: `Bearer ${each}` })).toEqual(allOf(ofRuns, 401));
  const another = ofRuns.map((one) => ({ ...one, path: one.path.replace(id, id.replace(/.$/, "0")) }));
  const withToken = { ...json, authorization: `Bearer ${tokenOfRun}` };
  expect(await statusesOf(served, another, withToken)).toEqual(allOf(ofRuns, 401));
  expect(await statusesOf(served, guarded, withToken)).toEqual(allOf(guarded, 401));
  expect(served.memory.asked).toEqual([]);
});

test.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "text/plain; application/json"])(
  "a body of the type '%s', which a web form can send, is 415",
  async (type) => {
    await using served = await serve();
    const withBody = guarded.filter(({ body }) => body !== undefined);
    expect(withBody.length).toBeGreaterThan(10);
    expect(await statusesOf(served, withBody, { ...bearer, "content-type": type })).toEqual(allOf(withBody, 415));
    expect(served.memory.asked).toEqual([]);
  },
);

test("a body of 10 MB is refused by its stated length before it is read", async () => {
  await using served = await serve();
  const head = `POST /api/tasks HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
  expect(await exchange(served.port, `${head}Content-Length: 10485760\r\n\r\n{`)).toMatch(/^HTTP\/1.1 413 /);
});

test("a chunked body that never ends is refused at its first byte too many", async () => {
  await using served = await serve();
  const head = `POST /api/tasks HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
  const answer = await exchange(served.port, head + chunk.repeat(17), (text) => text.includes("\r\n\r\n"));
  expect(answer).toMatch(/^HTTP\/1.1 413 [^]*connection: close/i);
});

test("a client that goes away in the middle of its body is no failure of ours", async () => {
  await using served = await serve();
  const socket = await stall(
    served.port,
    `POST /api/tasks HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`,
  );
  await served.request("/health");
  socket.destroy();
  await expect
    .poll(() => served.lines.map(({ level, fields }) => [level, fields["route"]]))
    .toEqual([
      ["info", "/health"],
      ["info", "/api/tasks"],
    ]);
});

test.each([
  ["headers of 20 KB", (host: string) => `GET /health HTTP/1.1\r\nHost: ${host}\r\nX-Big: ${"x".repeat(20_000)}\r\n\r\n`, 431],
  ["a URL of 20 KB", (host: string) => `GET /health?${"x".repeat(20_000)} HTTP/1.1\r\nHost: ${host}\r\n\r\n`, 431],
  ["no host", () => "GET /health HTTP/1.1\r\n\r\n", 400],
  [
    "a length and chunks",
    (host: string) => `POST /api/queue HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  ["a line that is no HTTP", () => "SSH-2.0-x\r\n\r\n", 400],
  [
    "a whole URL of elsewhere",
    (host: string) => `GET http://evil.example/health HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    200,
  ],
  ["a path out of the tree", (host: string) => `GET /api/../../etc/passwd HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`, 401],
])("a request with %s is answered in peace", async (_, bytes, status) => {
  await using served = await serve();
  const answer = await exchange(served.port, bytes(`127.0.0.1:${served.port}`));
  expect(Number(/^HTTP\/1.1 (\d{3})/.exec(answer)?.[1])).toBe(status);
  expect((await served.request("/health")).status).toBe(200);
});

test("an id that is a path reaches the engine as a name and nothing else", async () => {
  await using served = await serve();
  expect(await statusOf(served, { method: "GET", path: "/api/tasks/..%2f..%2fetc%2fpasswd" }, bearer)).toBe(404);
  expect(served.memory.asked).toEqual([{ name: "getTask", actor: "api", params: { task: "../../etc/passwd" }, body: undefined }]);
});

test("another address than loopback is refused unless the settings allow it, and then the log warns", async () => {
  await expect(serve({ host: "0.0.0.0" })).rejects.toMatchObject({
    code: "invalid",
    message: expect.stringContaining("daemon.allowRemote"),
  });
  await using served = await serve({ host: "0.0.0.0", allowRemote: true });
  expect(served.lines).toMatchObject([{ level: "warn", message: expect.stringContaining("Other machines can reach the API") }]);
  expect(await statusOf(served, { method: "GET", path: "/health" }, { host: `192.0.2.7:${served.port}` })).toBe(200);
  expect(await statusOf(served, { method: "GET", path: "/health" }, { host: `evil.example:${served.port}` })).toBe(403);
});

test("a port that is taken names its holder", async () => {
  await using served = await serve();
  const { createApi } = await import("../../src/api/server.ts");
  const { Feed } = await import("../../src/api/feed.ts");
  const { silentLog } = await import("../../src/base/log.ts");
  const { clock } = served.timers;
  const feed = new Feed({ source: served.events, clock, log: silentLog });
  const second = createApi({
    control: served.memory.control,
    feed,
    token,
    dashboard: "/nowhere",
    runToken: () => undefined,
    security: { allowRemote: false, allowedOrigins: [] },
    log: silentLog,
    clock,
    version: "0.1.0",
  });
  await expect(second.start("127.0.0.1", served.port)).rejects.toMatchObject({
    code: "unavailable",
    message: `Port ${served.port} is held by process ${process.pid} (node). End it, or set daemon.port to another one.`,
  });
  await second.stop();
});
