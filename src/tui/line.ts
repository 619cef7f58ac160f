import stringWidth from "string-width";
import { Shown, type Part } from "../words/shown.ts";

/** A line of the screen: safe text, each part in its paint. */
export type Line = readonly Part[];

/** A cell with the width of its column; the last column of a line takes what is left. */
export interface Cell {
  readonly shown: Shown;
  readonly width: number;
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const PLAIN = /^[\u0020-\u007e]*$/u;
const ELLIPSIS = "…";
const NARROW = 100;

/** The columns that a terminal needs for a text. */
export function widthOf(text: string): number {
  return PLAIN.test(text) ? text.length : stringWidth(text);
}

/** A line of exactly `width` columns: what does not fit is cut with an ellipsis. Line breaks and tabs are spaces. */
export function fit(shown: Shown | Line, width: number): Line {
  const parts = (shown instanceof Shown ? shown.parts : shown).map((part) => ({ ...part, text: part.text.replace(/\s/gu, " ") }));
  const total = parts.reduce((sum, { text }) => sum + widthOf(text), 0);
  if (total <= width) return [...parts, { text: " ".repeat(width - total), paint: undefined }];
  let left = Math.max(0, width - 1);
  const kept: Part[] = [];
  for (const { text, paint } of parts) {
    const cut = cutTo(text, left);
    kept.push({ text: cut, paint });
    left -= widthOf(cut);
    if (cut.length < text.length) break;
  }
  return width < 1 ? [] : [...kept, { text: `${ELLIPSIS}${" ".repeat(left)}`, paint: undefined }];
}

/** Cells beside each other, with less room between them where there is little. */
export function inColumns(cells: readonly Cell[], width: number): Line {
  const gap = width < NARROW ? " " : "  ";
  const line = cells.flatMap(({ shown, width: own }, index) =>
    index === cells.length - 1 ? shown.parts : [...fit(shown, own), { text: gap, paint: undefined }],
  );
  return fit(line, width);
}

/** A text in lines of at most `width` columns, broken at spaces where there are any. */
export function wrap(text: string, width: number): string[] {
  return text.split("\n").flatMap((line) => wrapLine(line.replaceAll("\t", "    "), Math.max(1, width)));
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = [];
  let rest = line;
  while (widthOf(rest) > width) {
    const head = cutTo(rest, width);
    const space = head.lastIndexOf(" ");
    const end = space > width / 2 ? space : Math.max(1, head.length);
    lines.push(rest.slice(0, end));
    rest = rest.slice(end).replace(/^ /u, "");
  }
  return [...lines, rest];
}

/** The longest beginning of a text that needs at most `width` columns; no character is divided. */
function cutTo(text: string, width: number): string {
  if (PLAIN.test(text)) return text.slice(0, width);
  let used = 0;
  let end = 0;
  for (const { segment } of segmenter.segment(text)) {
    used += stringWidth(segment);
    if (used > width) break;
    end += segment.length;
  }
  return text.slice(0, end);
}
