/** A line after a key: a character or pasted text is put behind it; undefined: the key does not change it. */
export function typed(text: string, key: string): string | undefined {
  switch (key) {
    case "backspace":
      return [...text].slice(0, -1).join("");
    case "ctrl-u":
      return "";
    case "ctrl-w":
      return text.replace(/\S*\s*$/u, "");
    default:
      return isNamed(key) ? undefined : `${text}${key}`.slice(0, TYPED_MAX);
  }
}

const TYPED_MAX = 20_000;
const NAMES: ReadonlySet<string> = new Set([
  "up",
  "down",
  "left",
  "right",
  "pageup",
  "pagedown",
  "home",
  "end",
  "enter",
  "escape",
  "tab",
  "shift-tab",
  "delete",
]);

function isNamed(key: string): boolean {
  return NAMES.has(key) || /^(?:ctrl|meta)-./u.test(key);
}
