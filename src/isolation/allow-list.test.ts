import { expect, test } from "vitest";
import { allowList, hostsOfVariables, loopbackPorts } from "./allow-list.ts";

test.each([
  ["api.example.org", 443, true],
  ["api.example.org", 80, true],
  ["API.Example.ORG", 443, true],
  ["api.example.org", 22, false],
  ["api.example.org.evil.test", 443, false],
  ["evil-api.example.org", 443, false],
  ["localhost", 5432, true],
  ["localhost", 5433, false],
  ["127.0.0.1", 5432, false],
  ["a.wild.test", 443, true],
  ["b.a.wild.test", 443, true],
  ["wild.test", 443, false],
  ["evilwild.test", 443, false],
  ["a.ported.test", 8443, true],
  ["a.ported.test", 443, false],
])("%s:%i is allowed: %s", (host, port, allowed) => {
  const isAllowed = allowList(["api.example.org", "localhost:5432", "*.wild.test", "*.Ported.test:8443"]);
  expect(isAllowed(host, port)).toBe(allowed);
});

test("an empty list allows nothing", () => expect(allowList([])("localhost", 80)).toBe(false));

test("the ports of the loopback are those that entries name, each once", () => {
  expect(loopbackPorts(["localhost:5432", "127.0.0.1:5432", "127.0.0.2:1", "::1", "example.org:9", "localhost"])).toEqual([
    5432, 1, 80, 443,
  ]);
});

test("variables name hosts by http addresses, in names that stand for one", () => {
  expect(
    hostsOfVariables({
      ANTHROPIC_BASE_URL: "http://127.0.0.1:4020",
      OPENAI_API_BASE: "https://llm.example.org/v1",
      AZURE_ENDPOINT: "https://azure.example.org:8443/",
      DATABASE_URL: "postgres://db.example.org/x",
      BROKEN_URL: "http://",
      PROMPT: "https://evil.test",
    }),
  ).toEqual(["127.0.0.1:4020", "llm.example.org:443", "azure.example.org:8443"]);
});
