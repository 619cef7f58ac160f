import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../support/repository.ts";
import { serve, type Serving } from "./serving.ts";

const page = "<!doctype html><title>Drover</title>";

/** Follows a link as a browser does; returns the pass that it got, as it would send it. */
async function follow(link: string): Promise<{ status: number; text: string; pass: string }> {
  const response = await fetch(link);
  const [pass = ""] = (response.headers.get("set-cookie") ?? "").split(";");
  return { status: response.status, text: await response.text(), pass };
}

const ask = (served: Serving, path: string, headers: Record<string, string>, method = "GET") =>
  fetch(served.url + path, { method, headers });
const statusOf = async (answer: Promise<Response>) => (await answer).status;

test("a link lets one browser in, once, by a cookie that no script sees and no other site sends", async () => {
  await using served = await serve();
  const { url, expiresAt } = await served.client.createLoginLink();
  expect(expiresAt - served.timers.clock.now()).toBeGreaterThan(4 * 60_000);
  const first = await fetch(url);
  expect(first.status).toBe(200);
  expect(first.headers.get("set-cookie")).toMatch(
    new RegExp(`^drover_${served.port}=\\d+\\.[\\w-]{43}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict$`),
  );
  expect(first.headers.get("refresh")).toBe("0; url=/");
  const [pass = ""] = (first.headers.get("set-cookie") ?? "").split(";");
  expect(await statusOf(ask(served, "/api/daemon", { cookie: `other=1; ${pass}` }))).toBe(200);

  const second = await follow(url);
  expect([second.status, second.pass]).toEqual([401, ""]);
  expect(second.text).toContain("Type <code>drover dashboard</code> for another.");
  expect((await follow(`${served.url}/login?code=guessed`)).status).toBe(401);
});

test("a link is worthless after five minutes, and the oldest of many is dropped", async () => {
  await using served = await serve();
  const { clock } = served.timers;
  const now = clock.now();
  const links = await Promise.all(Array.from({ length: 21 }, () => served.client.createLoginLink()));
  const answers = [];
  for (const { url } of links) answers.push((await follow(url)).status);
  expect(answers.filter((status) => status === 401)).toHaveLength(1);
  const { url } = await served.client.createLoginLink();
  Object.assign(clock, { now: () => now + 5 * 60_000 + 1000 });
  expect((await follow(url)).status).toBe(401);
});

test("a pass changes something only for our own page, and is nothing once its time is over or it was made up", async () => {
  await using served = await serve();
  const { pass } = await follow((await served.client.createLoginLink()).url);
  const pause = (headers: Record<string, string>) =>
    statusOf(
      fetch(`${served.url}/api/queue`, {
        method: "PATCH",
        headers: { "content-type": "application/json", cookie: pass, ...headers },
        body: '{"paused":true}',
      }),
    );
  expect(await pause({ origin: served.url })).toBe(200);
  expect(await pause({})).toBe(403);
  expect(await pause({ origin: "http://127.0.0.1:1" })).toBe(403);
  expect(await pause({ origin: "null" })).toBe(403);
  expect(await statusOf(ask(served, "/api/daemon", { cookie: pass, "sec-fetch-site": "same-site" }))).toBe(403);

  const [name, value = ""] = pass.split("=");
  const [expiresAt, signature = ""] = value.split(".");
  for (const made of [`${Number(expiresAt) + 1}.${signature}`, `${expiresAt}.${signature.slice(1)}`, `${expiresAt}.`, "", "."]) {
    expect(await statusOf(ask(served, "/api/daemon", { cookie: `${name}=${made}` }))).toBe(401);
  }
  const { clock } = served.timers;
  const now = clock.now();
  Object.assign(clock, { now: () => now + 31 * 24 * 3_600_000 });
  expect(await statusOf(ask(served, "/api/daemon", { cookie: pass }))).toBe(401);
});

test("logging out takes the pass away", async () => {
  await using served = await serve();
  const { pass } = await follow((await served.client.createLoginLink()).url);
  const answer = await ask(served, "/api/logout", { cookie: pass, origin: served.url }, "POST");
  expect(answer.headers.get("set-cookie")).toBe(`drover_${served.port}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict`);
});

test("the page is the same for each of its addresses and for everybody, and only what is ours runs in it", async () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, "assets"));
  writeFileSync(join(folder.path, "index.html"), page);
  writeFileSync(join(folder.path, "assets/index-1.js"), "1");
  writeFileSync(join(folder.path, "secret.txt"), "no");
  await using served = await serve({ dashboard: folder.path });
  const html = { accept: "text/html,*/*", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate", "sec-fetch-site": "cross-site" };
  for (const path of ["/", "/attention", "/tasks/api%2342"]) {
    const answer = await ask(served, path, html);
    expect([answer.status, await answer.text()]).toEqual([200, page]);
    expect(answer.headers.get("content-security-policy")).toMatch(
      /^default-src 'none'; script-src 'self'; .*frame-ancestors 'none'; require-trusted-types-for 'script'$/,
    );
  }
  const asset = await ask(served, "/assets/index-1.js", {});
  expect([asset.status, asset.headers.get("cache-control"), asset.headers.get("content-type")]).toEqual([
    200,
    "public, max-age=31536000, immutable",
    "text/javascript; charset=utf-8",
  ]);
  for (const path of ["/assets/..%2fsecret.txt", "/assets/gone.js", "/secret.txt"]) expect(await statusOf(ask(served, path, {}))).toBe(401);
  // What tells something is as closed as it was.
  expect(await statusOf(ask(served, "/api/daemon", { ...html, "sec-fetch-site": "none" }))).toBe(401);
  expect(await statusOf(ask(served, "/api/daemon", html))).toBe(403);
});

test("without a bundle the page says what to type", async () => {
  await using served = await serve();
  const answer = await ask(served, "/", { accept: "text/html" });
  expect([answer.status, await answer.text()]).toEqual([503, expect.stringContaining("Type <code>drover dashboard</code> in a terminal.")]);
});
