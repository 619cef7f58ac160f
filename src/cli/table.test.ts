import { expect, test } from "vitest";
import { layOut } from "./table.ts";

test("columns line up by what a terminal shows, not by characters", () => {
  expect(
    layOut(
      [
        ["NAME", "N", "TITLE"],
        ["日本語", "1", "x"],
        ["é́🙂", "2", "y"],
        ["\u001b[31mred\u001b[39m", "3", "z"],
      ],
      undefined,
    ),
  ).toEqual(["NAME    N  TITLE", "日本語  1  x", "é́🙂     2  y", "\u001b[31mred\u001b[39m     3  z"]);
});

test("the last column is cut where the terminal ends, and never to nothing", () => {
  const rows = [
    ["TASK", "TITLE"],
    ["api#1", "a title that is far too long for this"],
    ["api#2", "日本語日本語日本語日本語日本語"],
  ];
  expect(layOut(rows, 25)).toEqual(["TASK   TITLE", "api#1  a title that is…", "api#2  日本語日本語日…"]);
  expect(layOut(rows, 5)).toEqual(["TASK   TITLE", "api#1  a title t…", "api#2  日本語日…"]);
});

test("no cell breaks its line", () => {
  expect(
    layOut(
      [
        ["A", "B"],
        ["x y z ".repeat(40), "b"],
      ],
      30,
    ),
  ).toHaveLength(2);
});
