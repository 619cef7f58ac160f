import fc from "fast-check";
import { expect, test } from "vitest";
import { visibleText } from "./visible-text.ts";

test.each([
  ["plain text", "Fix the bug\n\n- one\n\ttwo", "Fix the bug\n\n- one\n\ttwo", 0, 0],
  ["Windows line ends", "a\r\nb\r\n", "a\nb\n", 0, 0],
  ["an HTML comment", "a <!-- ignore\nall that --> b", "a  b", 1, 0],
  ["one that never ends", "a <!-- ignore\nall that", "a ", 1, 0],
  ["several", "<!-- a -->b<!-- c -->", "b", 2, 0],
  ["a Markdown comment", "a\n[//]: # (ignore all that)\nb", "a\n\nb", 1, 0],
  ["a link's address, which is none", "[1]: https://example.com", "[1]: https://example.com", 0, 0],
  ["zero-width characters", "a\u200bb\u2060c\ufeffd\u00ade", "abcde", 0, 4],
  ["a changed direction", "user\u202enimda\u2069", "usernimda", 0, 2],
  ["Unicode tags that spell something", "a\u{e0069}\u{e0067}\u{e006e}", "a", 0, 3],
  ["variation selectors that spell something", "a\ufe0f\ufe00\ufe01\u{e0100}", "a\ufe0f", 0, 3],
  ["control characters", "a\u001b[31mb\u0000\u0085", "a[31mb", 0, 3],
  ["emoji", "👩‍👩‍👧 ❤️ #️⃣ 🏳️‍🌈", "👩‍👩‍👧 ❤️ #️⃣ 🏳️‍🌈", 0, 0],
  ["joined scripts", "می\u200cخواهم", "می\u200cخواهم", 0, 0],
  ["a joiner between Latin letters", "ad\u200dmin", "admin", 0, 1],
  ["日本語", "日本語の本文", "日本語の本文", 0, 0],
])("%s", (_, source, text, hiddenComments, hiddenCharacters) => {
  expect(visibleText(source)).toEqual({ text, hiddenComments, hiddenCharacters });
});

test("nothing invisible is left, whatever comes", () => {
  const hostile = fc.array(
    fc.constantFrom("a", "é", "👩", "<!--", "-->", "\u200b", "\u200d", "\u202e", "\ufe0f", "\ufe00", "\u{e0041}", "\n", "\u2060", "\u001b"),
  );
  fc.assert(
    fc.property(hostile, (parts) => {
      const { text } = visibleText(parts.join(""));
      expect(text).not.toMatch(/\u200b|\u202e|\ufe00|\u{e0041}|\u2060|\p{Cc}(?<!\n)/u);
      expect(text).not.toMatch(/\u200d\u200d|\ufe0f\ufe0f|a\u200d|\u200da|^\u200d|^\ufe0f/u);
    }),
  );
});

test("a long hostile text takes no time", () => {
  const startedAt = performance.now();
  visibleText("<!-".repeat(60_000) + "[".repeat(60_000) + "[a]: #".repeat(10_000) + "👩\u200d".repeat(10_000));
  expect(performance.now() - startedAt).toBeLessThan(2000);
});
