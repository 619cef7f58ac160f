import { safeLine, safeText } from "../base/text.ts";

/** Put behind a character, it takes its meaning from it and nobody sees it. */
const WORD_JOINER = "\u2060";
const TEXT_MAX = 30_000;

/** What would reach people, close or link issues, load an image or be HTML; entities too, for they are decoded before all that. */
const LOUD: readonly (readonly [pattern: RegExp, quiet: string])[] = [
  [/\b(clos|fix|resolv)(?=(?:e|es|ed)?(?:[:\s]+(?:\S*#|[[<]|https?:|gh-)|[:\s]*$))/giu, `$1${WORD_JOINER}`],
  [/@(?=[\p{L}\p{N}])/gu, `@${WORD_JOINER}`],
  [/#(?=\d)/gu, `#${WORD_JOINER}`],
  [/\b(gh-)(?=\d)/giu, `$1${WORD_JOINER}`],
  [/<(?=[A-Za-z/!?])/gu, `<${WORD_JOINER}`],
  [/!(?=\[)/gu, `!${WORD_JOINER}`],
  [/&(?=[A-Za-z#])/gu, `&${WORD_JOINER}`],
];

/** Kinds of code block that GitHub draws instead of showing. */
const DRAWN = new Set(["mermaid", "math", "geojson", "topojson", "stl"]);

/** As CommonMark has it: what comes behind backticks holds none. */
const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)$/;

/**
 * Markdown from outside, still Markdown, but without a voice: it mentions nobody, closes and links no issue, loads no
 * image and holds no HTML, so no marker of ours either. Code blocks stay as they are; they are shown, not obeyed. Their
 * fences move to the first column, where they end every list and quotation, so that nobody can read them otherwise.
 */
export function quietMarkdown(text: string): string {
  const lines: string[] = [];
  let fence: string | null = null;
  for (const line of safeText(cut(text)).trim().split("\n")) {
    const [, mark = "", info = ""] = FENCE.exec(line) ?? [];
    if (fence !== null && closes(mark, info, fence)) {
      lines.push(fence);
      fence = null;
    } else if (fence !== null) {
      lines.push(line);
    } else if (mark === "") {
      lines.push(quietLine(line));
    } else {
      lines.push(`${mark}${languageOf(info)}`);
      fence = mark;
    }
  }
  if (fence !== null) lines.push(fence);
  return lines.join("\n");
}

/** The same for a title or a name on one line. */
export function quietTitle(text: string, max = 200): string {
  return quietLine(safeLine(text, max));
}

/** A short text as code within a line or a cell of a table. */
export function codeSpan(text: string, max = 200): string {
  const line = safeLine(text, max).replaceAll("|", "\\|");
  const fence = "`".repeat(longestRun(line) + 1);
  const pad = line.startsWith("`") || line.endsWith("`") || line === "" ? " " : "";
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** A text as a code block that nothing in it can end. */
export function codeBlock(text: string): string {
  const safe = safeText(text).trimEnd();
  const fence = "`".repeat(Math.max(3, longestRun(safe) + 1));
  return `${fence}text\n${safe}\n${fence}`;
}

function quietLine(line: string): string {
  return LOUD.reduce((quiet, [pattern, replacement]) => quiet.replace(pattern, replacement), line);
}

function closes(mark: string, info: string, fence: string): boolean {
  return mark[0] === fence[0] && mark.length >= fence.length && info.trim() === "";
}

function languageOf(info: string): string {
  const language = /^[A-Za-z0-9+.-]*/.exec(info.trim())?.[0] ?? "";
  return DRAWN.has(language.toLowerCase()) ? "text" : language;
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}

function cut(text: string): string {
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX).toWellFormed()}\n\n(The rest was cut.)`;
}
