import type { ChangedLine, FileChange } from "../domain/file-change.ts";
import type { Repository } from "./repository.ts";

const OPTIONS = ["-r", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv", "--ignore-submodules=none"];
/** Lines longer than this are cut: nobody reads them, and patterns take their time over them. */
const LINE_MAX = 1000;

/** What each file has in one commit that it has not in another. */
export async function changesBetween(repository: Repository, from: string, to: string, signal: AbortSignal): Promise<FileChange[]> {
  const raw = await repository.print(["diff-tree", "--raw", "-z", ...OPTIONS, "--end-of-options", from, to], { signal });
  const fields = raw.split("\0");
  const files = fields.flatMap((field, index) => {
    const status = /^:\d+ \d+ \S+ \S+ ([A-Z])/u.exec(field)?.[1];
    return status === undefined ? [] : [{ status, path: fields[index + 1] ?? "" }];
  });
  if (files.length === 0) return [];
  const patch = await repository.print(["diff-tree", "-p", "-U0", ...OPTIONS, "--end-of-options", from, to], { signal });
  // No line of a file's content begins so: each has a mark before it. Files come in the order of the list.
  const parts = patch.split(/^diff --git .*\n/mu).slice(1);
  return files.map(({ path, status }, index) => ({ path, status: statusOf(status), ...linesOf(parts[index] ?? "") }));
}

export async function textAt(repository: Repository, commit: string, path: string): Promise<string> {
  const { exitCode, stdout } = await repository.run(["cat-file", "blob", `${commit}:${path}`]);
  return exitCode === 0 ? stdout : "";
}

function statusOf(letter: string): FileChange["status"] {
  if (letter === "A") return "added";
  return letter === "D" ? "removed" : "changed";
}

function linesOf(part: string): Pick<FileChange, "added" | "removed"> {
  const [added, removed]: [ChangedLine[], ChangedLine[]] = [[], []];
  let [before, after] = [0, 0];
  let isContent = false;
  for (const row of part.split("\n")) {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/u.exec(row);
    if (hunk) {
      [before, after, isContent] = [Number(hunk[1]), Number(hunk[2]), true];
    } else if (isContent && row.startsWith("+")) added.push({ line: after++, text: row.slice(1, LINE_MAX) });
    else if (isContent && row.startsWith("-")) removed.push({ line: before++, text: row.slice(1, LINE_MAX) });
  }
  return { added, removed };
}
