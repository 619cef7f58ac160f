import fc from "fast-check";
import { expect, test } from "vitest";
import { LineSplitter } from "./line-splitter.ts";

const LINE_MAX_BYTES = 4 * 2 ** 20;

function split(splitter: LineSplitter, chunks: readonly Buffer[]) {
  const lines = chunks.flatMap((chunk) => [...splitter.push(chunk)]);
  const last = splitter.finish();
  return last ? [...lines, last] : lines;
}

test("wherever the chunks are cut, the lines and their offsets are those of the whole", () => {
  const line = fc.string({ unit: fc.constantFrom("a", "é", "漢", "🐑", "\r", "\0"), maxLength: 12 });
  const cuts = fc.array(fc.nat(200), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(line), cuts, fc.nat(1_000), (lines, cuts, from) => {
      const bytes = Buffer.from(lines.join("\n"));
      const edges = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length];
      const chunks = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
      let end = from;
      const expected = lines.map((text, index) => {
        end += Buffer.byteLength(text) + (index < lines.length - 1 ? 1 : 0);
        return { text, end };
      });
      // An empty last line is no line: the one before it ended there.
      if (lines.at(-1) === "") expected.pop();
      expect(split(new LineSplitter(from), chunks)).toEqual(expected);
    }),
  );
});

test("a line of the longest length is given, a longer one is left out, and the offsets go on", () => {
  const long = "x".repeat(LINE_MAX_BYTES);
  const whole = Buffer.from(`a\n${long}\n${long}x\nb\n${long}x`);
  const chunks = Array.from({ length: Math.ceil(whole.length / 70_000) }, (_, index) =>
    whole.subarray(index * 70_000, (index + 1) * 70_000),
  );
  expect(split(new LineSplitter(0), chunks).map(({ text, end }) => ({ length: text.length, end }))).toEqual([
    { length: 1, end: 2 },
    { length: LINE_MAX_BYTES, end: LINE_MAX_BYTES + 3 },
    { length: 1, end: 2 * LINE_MAX_BYTES + 7 },
  ]);
});

test("in the middle of a line, its rest is left out", () => {
  expect(split(new LineSplitter(10, true), [Buffer.from("rest"), Buffer.from("\nnext\n")])).toEqual([{ text: "next", end: 20 }]);
  expect(split(new LineSplitter(10, true), [Buffer.from("rest")])).toEqual([]);
});

test("what is kept of a chunk does not change when its memory is used again", () => {
  const splitter = new LineSplitter(0);
  const chunk = Buffer.from("abc");
  expect([...splitter.push(chunk)]).toEqual([]);
  chunk.fill("z");
  expect([...splitter.push(Buffer.from("\n"))]).toEqual([{ text: "abc", end: 4 }]);
});
