import { styleText } from "node:util";
import type { Paint } from "../words/shown.ts";
import type { Line } from "./line.ts";

/** Paints of the screen, besides those of words. */
export type ScreenPaint = Paint | "selected";
type Style = Extract<Parameters<typeof styleText>[0], string>;
export type Theme = Readonly<Record<ScreenPaint, readonly Style[]>>;

/** `plain` is for NO_COLOR and terminals without: words and signs say all that colours do. */
export const themes = {
  dark: { bold: ["bold"], dim: ["gray"], red: ["redBright"], green: ["green"], yellow: ["yellow"], cyan: ["cyan"], selected: ["inverse"] },
  light: { bold: ["bold"], dim: ["gray"], red: ["red"], green: ["green"], yellow: ["magenta"], cyan: ["blue"], selected: ["inverse"] },
  contrast: {
    bold: ["bold", "whiteBright"],
    dim: ["white"],
    red: ["bold", "whiteBright", "bgRed"],
    green: ["bold", "greenBright"],
    yellow: ["bold", "black", "bgYellow"],
    cyan: ["bold", "cyanBright"],
    selected: ["bold", "black", "bgWhite"],
  },
  plain: { bold: [], dim: [], red: [], green: [], yellow: [], cyan: [], selected: [] },
} as const satisfies Record<string, Theme>;
export type ThemeName = keyof typeof themes;
export const themeNames = Object.keys(themes) as ThemeName[];

/** A line as a terminal takes it. A selected one has that paint alone, so that it can be read in any colour. */
export function paintLine(line: Line, theme: Theme, isSelected = false): string {
  if (isSelected) return paint(line.map(({ text }) => text).join(""), theme.selected);
  return line.map(({ text, paint: name }) => (name === undefined ? text : paint(text, theme[name]))).join("");
}

function paint(text: string, styles: readonly Style[]): string {
  return styles.length === 0 ? text : styleText([...styles], text, { validateStream: false });
}
