import { once } from "node:events";
import { request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { allowList } from "./allow-list.ts";
import { createEgressProxy } from "./egress-proxy.ts";

let proxy: Server | undefined;
let refused: string[];
beforeEach(() => {
  refused = [];
});
afterEach(() => new Promise((resolve) => proxy?.close(resolve)));

async function statusOf(url: string, resolvesTo: { address: string; family: number } | undefined): Promise<number> {
  const resolve = async () => resolvesTo ?? Promise.reject(new Error("unknown"));
  proxy = createEgressProxy(allowList(["*.listed.test", "listed.test"]), resolve, (url) => refused.push(url));
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const asked = request({ host: "127.0.0.1", port: (proxy.address() as AddressInfo).port, path: url, agent: false }).end();
  const [response] = (await once(asked, "response")) as [{ statusCode: number; resume(): void }];
  response.resume();
  return response.statusCode;
}

test.each([
  ["169.254.169.254", 4],
  ["127.0.0.1", 4],
  ["0.0.0.0", 4],
  ["::1", 6],
  ["fe80::1", 6],
])("a name on the list that leads to %s is refused", async (address, family) => {
  expect(await statusOf("http://a.listed.test/", { address, family })).toBe(403);
  expect(refused).toEqual(["http://a.listed.test/"]);
});

test("a name that nobody knows is refused, and so is what is no web address", async () => {
  expect(await statusOf("http://listed.test/", undefined)).toBe(403);
  proxy?.close();
  expect(await statusOf("ftp://listed.test/", { address: "192.0.2.1", family: 4 })).toBe(403);
});
