/** The most of one message or one tool's input that is kept. */
const TEXT_MAX = 16 * 1024;
/** The most of a value inside a tool's input: so that one long file does not hide the other values. */
const VALUE_MAX = 4 * 1024;
/** The most of a last message: what GitHub takes as the body of a pull request or a comment, less what we add. */
const REPORT_MAX = 60_000;

/** A message of an agent, cut to a sane size. */
export function cutText(text: string, max = TEXT_MAX): string {
  if (text.length <= max) return text;
  // Not between the halves of a surrogate pair.
  const end = /[\uD800-\uDBFF]/u.test(text.charAt(max - 1)) ? max - 1 : max;
  return `${text.slice(0, end)}… (${text.length - end} more characters)`;
}

export function cutReport(text: string): string {
  return cutText(text, REPORT_MAX);
}

/** A tool's input as JSON text of a sane size: long values in it are cut, and it is JSON all the same. */
export function inputText(input: unknown): string {
  const text = JSON.stringify(input, (_key, value: unknown) => (typeof value === "string" ? cutText(value, VALUE_MAX) : value)) ?? "null";
  return text.length <= TEXT_MAX ? text : JSON.stringify(cutText(text));
}

/**
 * A message for an agent's stdin: JSON on one line. U+2028 and U+2029 are escaped, because some programs (Node's readline)
 * take them for the end of a line.
 */
export function toLine(message: unknown): string {
  return `${JSON.stringify(message).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029")}\n`;
}

/** The line of a program's stderr that most likely says why it failed: the last that names an error, else the last; none: empty. */
export function complaintOf(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  return cutText((lines.findLast((line) => /error|fatal|cannot|failed/iu.test(line)) ?? lines.at(-1) ?? "").trim(), 500);
}
