import { safeLine } from "../../base/text.ts";
import { refusal } from "./refusal.ts";

/** Linux: PATH_MAX and NAME_MAX, bytes. */
const PATH_MAX_BYTES = 4096;
const NAME_MAX_BYTES = 255;

/** Names that mean something else to a file system or to git than they seem to: a folder above, and what git obeys. */
const REFUSED = new Map([
  ["..", "leads out of the workspace"],
  [".git", "is git's own"],
  // What Windows calls .git too.
  ["git~1", "is git's own"],
]);

/**
 * The names on the way from the workspace to what a path means; none: the workspace itself. Throws a refusal for a path that
 * leads out of it, or into git's own folder, whose settings and hooks would be obeyed later: also where it only looks like
 * that, in other cases or characters, since some file systems make no difference.
 */
export function parseWorkspacePath(path: string): string[] {
  const shown = safeLine(path);
  if (path.includes("\0")) throw refusal(`The path ${shown} has a NUL character in it.`);
  if (path.startsWith("/")) throw refusal(`The path ${shown} is absolute. Give the path from the workspace, such as src/main.ts.`);
  if (Buffer.byteLength(path) > PATH_MAX_BYTES) throw refusal(`The path ${shown} is too long.`);
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  for (const name of names) {
    if (Buffer.byteLength(name) > NAME_MAX_BYTES) throw refusal(`The path ${shown} has a name in it that is too long.`);
    const why = REFUSED.get(plainForm(name));
    if (why !== undefined) throw refusal(`The path ${shown} ${why}.`);
  }
  return names;
}

/** Whether a file or folder of that name is one that no path may name. */
export function isRefusedName(name: string): boolean {
  return REFUSED.has(plainForm(name));
}

/** What is left where neither case nor invisible characters nor other forms of a character count. */
function plainForm(name: string): string {
  return name
    .normalize("NFKC")
    .replace(/[\p{Default_Ignorable_Code_Point}\p{Cc}]/gu, "")
    .toLowerCase();
}
