import { stripVTControlCharacters } from "node:util";

// C0 and C1 controls but TAB and LF, DEL, and the characters that reorder or hide text (bidirectional, zero-width).
// oxlint-disable-next-line no-control-regex -- Controls are what is looked for.
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** Text from outside, made safe for a terminal or a log: no control sequences or characters, nothing that hides or reorders. TAB and LF stay. */
export function safeText(text: string): string {
  return stripVTControlCharacters(text).replace(UNSAFE, "");
}

/** The same on one line, cut to `max` characters (code points) with an ellipsis. */
export function safeLine(text: string, max = 200): string {
  const line = [...safeText(text).replace(/\s+/gu, " ").trim()];
  return line.length <= max ? line.join("") : `${line.slice(0, max - 1).join("")}…`;
}

/** A short name of `[a-z0-9-]` made from any text, for branches and folders; never empty, never from the outside as it was. */
export function slug(text: string, max = 40): string {
  const plain = text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/gu, "-")
    .slice(0, max)
    .replace(/^-+|-+$/gu, "");
  return plain || "task";
}
