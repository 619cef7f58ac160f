import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { everyRoute } from "./each-route.ts";
import { exchange, serve, token, type Serving } from "./serving.ts";

async function problemOf(response: Response) {
  return { type: response.headers.get("content-type"), body: await response.json() };
}

function post(served: Serving, path: string, body: string, headers: Record<string, string> = {}) {
  return served.request(path, { method: "POST", body, headers });
}

test("a request names each field that is wrong", async () => {
  await using served = await serve();
  const response = await post(served, "/api/tasks", JSON.stringify({ project: "api", title: "", priority: 101, titel: "x" }));
  expect(response.status).toBe(400);
  expect(await problemOf(response)).toEqual({
    type: "application/problem+json",
    body: {
      type: "about:blank",
      title: "Bad Request",
      status: 400,
      detail: "title: a task needs a title; priority: Too big: expected number to be <=100; titel: there is no such field",
      code: "invalid",
      issues: [
        { path: "title", message: "a task needs a title" },
        { path: "priority", message: "Too big: expected number to be <=100" },
        { path: "titel", message: "there is no such field" },
      ],
    },
  });
});

test.each([
  ["/api/tasks?limit=0", "limit"],
  ["/api/tasks?limit=501", "limit"],
  ["/api/tasks?status=done", "status"],
  ["/api/tasks?staus=failed", "staus"],
  ["/api/daemon?x=1", "x"],
  ["/api/events?after=-1", "after"],
])("GET %s is refused because of %s", async (path, field) => {
  await using served = await serve();
  const response = await served.request(path);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: "invalid", issues: [{ path: field }] });
});

test.each([
  ["not JSON", "{"],
  ["JSON that is no object", "[1]"],
  ["a prototype for its own", '{"project":"api","title":"x","__proto__":{"draft":true}}'],
  ["a delivery that only a parent's run can choose", '{"project":"api","title":"x","delivery":"parent"}'],
  ["a hundred thousand levels", `{"project":${"[".repeat(100_000)}`],
  ["bytes that are no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]) as unknown as string],
])("a body of %s is refused", async (_, body) => {
  await using served = await serve();
  const response = await post(served, "/api/tasks", body);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: "invalid" });
  expect(served.memory.tasks).toEqual([]);
});

test("a full queue answers 429 and says when to try again", async () => {
  await using served = await serve();
  const body = JSON.stringify({ project: "api", title: "x" });
  const statuses = await Promise.all([1, 2, 3, 4].map(async () => (await post(served, "/api/tasks", body)).status));
  expect(statuses.toSorted((one, other) => one - other)).toEqual([201, 201, 201, 429]);
  const refused = await post(served, "/api/tasks", body);
  expect(refused.headers.get("retry-after")).toBe("30");
  expect(await refused.json()).toMatchObject({ status: 429, code: "too_many", retryAfterMs: 30_000 });
});

test("each kind of failure has its status", async () => {
  await using served = await serve();
  await served.client.createTask({ body: { project: "api", title: "One" } });
  const [task] = served.memory.tasks;
  if (task) task.status = "running";
  const status = async (path: string, method: string) => (await served.request(path, { method })).status;
  expect(await status("/api/tasks/nope", "GET")).toBe(404);
  expect(await status("/api/tasks/api%231/retry", "POST")).toBe(409);
  expect(await status("/api/projects/api/poll", "POST")).toBe(504);
  expect(await status("/api/workers/one/stop", "POST")).toBe(400);
});

test("a bug of ours shows no more than a short line, and its stack is logged", async () => {
  await using served = await serve();
  const response = await served.request("/api/store/verify", { method: "POST" });
  expect(response.status).toBe(500);
  const text = await response.text();
  expect(JSON.parse(text)).toMatchObject({ code: "internal" });
  expect(text).not.toContain("rows");
  const [line] = served.lines.filter(({ level }) => level === "error");
  expect(line?.fields).toMatchObject({ method: "POST", route: "/api/store/verify" });
  expect(line?.fields["stack"]).toMatch(/TypeError: Cannot read properties[^]*memory-control/);
});

test("a wrong method is told the right ones, and an unknown path is 404", async () => {
  await using served = await serve();
  const wrong = await served.request("/api/tasks/api%231", { method: "DELETE" });
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, PATCH"]);
  const both = await served.request("/api/queue", { method: "POST" });
  expect([both.status, both.headers.get("allow")]).toEqual([405, "GET, PATCH, DELETE"]);
  const unknown = await served.request("/api/nothing");
  expect([unknown.status, ((await unknown.json()) as { code: string }).code]).toEqual([404, "not_found"]);
  const head = await served.request("/api/events", { method: "HEAD" });
  expect(head.status).toBe(405);
});

test("a webhook gets its bytes and headers as they were sent, up to 25 MB", async () => {
  await using served = await serve();
  const body = Buffer.alloc(3 * 1024 * 1024, "x");
  const signature = createHash("sha256").update(body).digest("hex");
  const send = (length: number) =>
    fetch(`${served.url}/api/webhooks/github/api`, {
      method: "POST",
      body: length === body.length ? body : Buffer.alloc(length),
      headers: { "x-hub-signature-256": signature },
    });
  const response = await send(body.length);
  expect([response.status, await response.json()]).toEqual([202, { accepted: true }]);
  expect((await send(26 * 1024 * 1024)).status).toBe(413);
});

test("the log has one line for each request, with the route instead of the path and nothing of the query", async () => {
  await using served = await serve();
  await served.request("/api/tasks/secret-task-name?limit=7");
  await served.request("/api/tasks?project=secret-project");
  await exchange(served.port, `GET /nope?token=${token} HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nConnection: close\r\n\r\n`);
  const answered = served.lines.filter(({ message }) => message === "Request answered").map(({ fields }) => fields);
  expect(answered.map(({ durationMs, ...rest }) => ({ ...rest, isTimed: typeof durationMs === "number" }))).toEqual([
    { method: "GET", route: "/api/tasks/{task}", status: 400, isComplete: true, isTimed: true },
    { method: "GET", route: "/api/tasks", status: 200, isComplete: true, isTimed: true },
    { method: "GET", route: null, status: 401, isComplete: true, isTimed: true },
  ]);
  expect(JSON.stringify(served.lines)).not.toMatch(/secret|a-token/);
});

test("who acts is what the command line says, and `api` for all others", async () => {
  await using served = await serve();
  await served.request("/api/daemon", { headers: { "drover-actor": "cli" } });
  await served.request("/api/daemon", { headers: { "drover-actor": "daemon" } });
  await served.request("/api/daemon");
  expect(served.memory.asked.map(({ actor }) => actor)).toEqual(["cli", "api", "api"]);
});

test("no answer may be kept, framed or guessed at by a browser", async () => {
  await using served = await serve();
  for (const { path, route, body } of everyRoute.filter((one) => one.route.answers !== "stream")) {
    const { headers } = await served.request(path, { method: route.method, ...(body !== undefined && { body }) });
    expect([
      headers.get("cache-control"),
      headers.get("x-content-type-options"),
      headers.get("content-security-policy")?.includes("default-src 'none'"),
    ]).toEqual(["no-store", "nosniff", true]);
  }
});
