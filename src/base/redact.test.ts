import { expect, test } from "vitest";
import { createRedactor } from "./redact.ts";

test("masks given values, plain and in base64, wherever they stand", () => {
  const redact = createRedactor(() => ["correct-horse-battery"]);
  const encoded = Buffer.from("correct-horse-battery").toString("base64");
  expect(redact(`a correct-horse-battery b ${encoded} c`)).toMatch(/^a \[redacted\] b \[redacted\]=* c$/);
});

test("masks tokens of known shapes", () => {
  const redact = createRedactor(() => []);
  const secrets = [
    `ghp_${"a1B2".repeat(9)}`,
    `github_pat_${"a1B2_".repeat(9)}`,
    `sk-ant-api03-${"x".repeat(40)}`,
    `AKIA${"ABCD".repeat(4)}`,
    `xoxb-${"1".repeat(20)}`,
  ];
  for (const secret of secrets) expect(redact(`key=${secret};`)).toBe("key=[redacted];");
  expect(redact("Authorization: Bearer abcdefghijklmnop")).toBe("Authorization: Bearer [redacted]");
  expect(redact("https://me:hunter22@example.com/x")).toBe("https://me:[redacted]@example.com/x");
});

test("leaves ordinary text and short values alone", () => {
  const redact = createRedactor(() => ["test", ""]);
  const text = "the test of https://example.com:3003/path says skip-this and Bearer of news";
  expect(redact(text)).toBe(text);
});

test("knows a value that became secret after it was made", () => {
  const values: string[] = [];
  const redact = createRedactor(() => values);
  values.push("new-secret-value");
  expect(redact("new-secret-value")).toBe("[redacted]");
});
