import { expect, test } from "vitest";
import { safeLine, safeText } from "./text.ts";

test.each([
  ["colours", "\u001b[1;31mred\u001b[0m", "red"],
  ["the one-character form of the same", "\u009b31mred", "red"],
  ["a title and a link", "\u001b]0;title\u0007a\u001b]8;;http://evil.example\u001b\\b", "ab"],
  ["control characters", "a\u0000\u0008\rb\u007f", "ab"],
  ["what hides or reorders", "a\u200bb\u202ec", "abc"],
  ["TAB, LF, CJK and emoji, which stay", "a\tb\n日本語🙂", "a\tb\n日本語🙂"],
])("safe text is free of %s", (_, text, safe) => {
  expect(safeText(text)).toBe(safe);
});

test("a safe line is one line, cut at whole characters", () => {
  expect(safeLine(" a\n\tb ", 10)).toBe("a b");
  expect(safeLine("🙂".repeat(5), 3)).toBe("🙂🙂…");
});
