import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { readWebhook } from "./webhook.ts";

const secret = "it's a secret to everybody";
const payload = { action: "labeled", issue: { number: 42 }, repository: { full_name: "Acme/API" } };

function deliver(content: unknown, change: { headers?: Record<string, string>; bytes?: Buffer; key?: string } = {}) {
  const body = Buffer.from(typeof content === "string" ? content : JSON.stringify(content));
  const signature = `sha256=${createHmac("sha256", change.key ?? secret)
    .update(body)
    .digest("hex")}`;
  const headers = {
    "x-github-event": "issues",
    "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
    "x-hub-signature-256": signature,
  };
  return readWebhook({ body: change.bytes ?? body, headers: { ...headers, ...change.headers } }, secret);
}

describe("a webhook", () => {
  test("of an issue says where to look", () => {
    expect(deliver(payload)).toEqual({
      deliveryId: "72d3162e-cc78-11e3-81ab-4c9367dc0958",
      repository: "acme/api",
      issue: 42,
      branch: null,
    });
  });

  test("is checked as GitHub's documentation has it", () => {
    // docs.github.com, "Validating webhook deliveries", the published test values.
    const body = Buffer.from("Hello, World!");
    const signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    expect(() =>
      readWebhook({ body, headers: { "x-hub-signature-256": signature, "x-github-delivery": "1" } }, "It's a Secret to Everybody"),
    ).toThrow("not of a repository");
  });

  test.each([
    ["a comment", { headers: { "x-github-event": "issue_comment" } }, payload, 42],
    ["a push", { headers: { "x-github-event": "push" } }, payload, null],
    ["a ping", { headers: { "x-github-event": "ping" } }, { zen: "x", repository: payload.repository }, null],
    [
      "a comment at a pull request",
      { headers: { "x-github-event": "issue_comment" } },
      { ...payload, issue: { number: 42, pull_request: {} } },
      null,
    ],
  ])("about %s", (_, change, content, issue) => {
    expect(deliver(content, change).issue).toBe(issue);
  });

  test.each([
    ["a push to a branch", "push", "refs/heads/release/1", "release/1"],
    ["a push of a tag", "push", "refs/tags/main", null],
    ["something else with a ref", "create", "refs/heads/main", null],
  ])("of %s says which branch that is", (_, event, ref, branch) => {
    expect(deliver({ ref, repository: payload.repository }, { headers: { "x-github-event": event } })).toMatchObject({
      issue: null,
      branch,
    });
  });

  test.each([
    ["signed with another secret", { key: "other" }, /signature/],
    ["without a signature", { headers: { "x-hub-signature-256": "" } }, /signature/],
    ["with a signature of another length", { headers: { "x-hub-signature-256": "sha256=00" } }, /signature/],
    ["with an old kind of signature", { headers: { "x-hub-signature-256": "sha1=7d38cdd689735b008b3c702edd92eea23791c5f6" } }, /signature/],
    ["with one byte changed", { bytes: Buffer.from(JSON.stringify(payload).replace("42", "43")) }, /signature/],
    ["without a delivery id", { headers: { "x-github-delivery": "" } }, /delivery id/],
    ["with a delivery id that is none", { headers: { "x-github-delivery": "a b\u001b[31m" } }, /delivery id/],
    ["that is too large", { bytes: Buffer.alloc(5 * 1024 * 1024 + 1) }, /too large/],
  ])("%s is refused", (_, change, message) => {
    expect(() => deliver(payload, change)).toThrow(message);
  });

  test.each([
    ["no json", "{"],
    ["no repository", { issue: { number: 1 } }],
    ["a number that is none", { ...payload, issue: { number: "42; rm" } }],
    ["nothing", ""],
  ])("with %s in it is refused", (_, content) => {
    expect(() => deliver(content)).toThrow("not of a repository");
  });

  test("with any byte changed is refused before it is read", () => {
    const body = Buffer.from(JSON.stringify(payload));
    for (let index = 0; index < body.length; index++) {
      const bytes = Buffer.from(body);
      bytes[index] = (bytes[index] ?? 0) ^ 1;
      expect(() => deliver(payload, { bytes })).toThrow(/signature/);
    }
  });
});
