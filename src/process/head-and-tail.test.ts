import { expect, test } from "vitest";
import { HeadAndTail } from "./head-and-tail.ts";

function kept(maxBytes: number, ...chunks: string[]): string {
  const output = new HeadAndTail(maxBytes);
  for (const chunk of chunks) output.push(Buffer.from(chunk));
  return output.text();
}

test("what fits is kept whole, however it came, with characters that lie across the middle", () => {
  expect(kept(10)).toBe("");
  expect(kept(10, "01234", "56789")).toBe("0123456789");
  expect(kept(6, "ab", "漢", "f")).toBe("ab漢f");
});

test("of what does not fit, the head, the tail, and how much lay between", () => {
  expect(kept(10, "0123456789ABC")).toBe("01234\n[3 bytes left out]\n89ABC");
  expect(kept(10, ..."0123456789ABC".split(""))).toBe("01234\n[3 bytes left out]\n89ABC");
});

test("a flood leaves no more behind than it may", () => {
  const chunks = Array.from({ length: 1000 }, () => "x".repeat(1000));
  expect(kept(100, ...chunks, "the end")).toBe(`${"x".repeat(50)}\n[999907 bytes left out]\n${"x".repeat(43)}the end`);
});
