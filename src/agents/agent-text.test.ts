import { expect, test } from "vitest";
import { cutText, inputText } from "./agent-text.ts";

test("short text stays as it is", () => {
  expect(cutText("hello")).toBe("hello");
});

test("long text is cut and says by how much", () => {
  expect(cutText("abcdef", 4)).toBe("abcd… (2 more characters)");
});

test("a character outside the basic plane is not cut in half", () => {
  expect(cutText("abc😀def", 4)).toBe("abc… (5 more characters)");
});

test("a tool's input stays JSON, with its long values cut", () => {
  const input = { file_path: "/workspace/a.txt", content: "x".repeat(5000) };
  expect(JSON.parse(inputText(input))).toEqual({ file_path: "/workspace/a.txt", content: `${"x".repeat(4096)}… (904 more characters)` });
});

test("an input of very many values is JSON of a sane size all the same", () => {
  const text = inputText(Array.from({ length: 10_000 }, (_, index) => index));
  expect(text.length).toBeLessThan(20_000);
  expect(JSON.parse(text)).toMatch(/^\[0,1,2,.*more characters\)$/u);
});

test("no input is null", () => {
  expect(inputText(undefined)).toBe("null");
});
