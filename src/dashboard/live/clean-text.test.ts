import { expect, test } from "vitest";
import { cleanJson } from "./clean-text.ts";

test("what moves a cursor, rings or turns the direction is gone; lines, tabs and all writing stay", () => {
  const text = "\u001b[2J\u0007bell \u202eneddih\u202c\u2066x\u2069\u0085 line\nnext\ttab \u05d0\u05d1 naïve 🚀 \\u001b";
  const cleaned: unknown = JSON.parse(cleanJson(JSON.stringify({ text })));
  expect(cleaned).toEqual({ text: "[2Jbell neddihx line\nnext\ttab \u05d0\u05d1 naïve 🚀 \\u001b" });
});
