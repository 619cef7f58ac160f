import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";
import { hasCode } from "./system-error.ts";

/** What an agent's tools fill without anybody working on it, and what is too much to look at. */
const PASSED_OVER = new Set([".git", "node_modules", ".venv", "target"]);
/** A look at so many takes about half a second; what is behind them is not looked at. */
const ENTRIES_MAX = 20_000;

/** When something below a folder last changed, epoch milliseconds; null: there is no such folder. */
export async function newestChange(folder: string, signal: AbortSignal): Promise<number | null> {
  let newest: number | null = null;
  let left = ENTRIES_MAX;
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined && left > 0; next = waiting.pop()) {
    signal.throwIfAborted();
    for (const { path, isFolder, changedAt } of await entriesOf(next)) {
      left -= 1;
      newest = Math.max(newest ?? 0, changedAt);
      if (isFolder) waiting.push(path);
    }
  }
  return newest;
}

async function entriesOf(folder: string): Promise<{ path: string; isFolder: boolean; changedAt: number }[]> {
  try {
    const found = [];
    for await (const entry of await opendir(folder)) {
      if (PASSED_OVER.has(entry.name)) continue;
      const path = join(folder, entry.name);
      found.push({ path, isFolder: entry.isDirectory(), changedAt: Math.floor((await lstat(path)).mtimeMs) });
    }
    return found;
  } catch (failure) {
    // Removed or closed to us while we look: its parent has changed then, which is seen.
    if (hasCode(failure, "ENOENT", "ENOTDIR", "EACCES")) return [];
    throw failure;
  }
}
