import { type FileHandle, open } from "node:fs/promises";
import type { Changes } from "./changes.ts";
import { heldFiles } from "./held-folder.ts";
import type { OutputLine } from "./host.ts";
import { LineSplitter } from "./line-splitter.ts";
import { type OutputLimit, readFreed } from "./output-limit.ts";
import { hasCode } from "./system-error.ts";

const CHUNK_BYTES = 64 * 2 ** 10;

interface ReadOptions {
  readonly directory: string;
  readonly from: number;
  /** Undefined: what is there now is enough. */
  readonly changes: Changes | undefined;
  readonly signal: AbortSignal;
  /** Whether the command has ended, however it did. */
  readonly hasEnded: () => Promise<boolean>;
  /** Undefined: the files are left as they are. */
  readonly limit: OutputLimit | undefined;
}

/**
 * The lines of a held command's `out`. Reads only when asked for more, and holds one chunk and one line. What a process
 * that the command left behind prints after the command's end is not waited for.
 */
export async function* readOutput({ directory, from, changes, signal, hasEnded, limit }: ReadOptions): AsyncGenerator<OutputLine> {
  const freed = await readFreed(directory);
  let position = Math.max(from, freed);
  let lines = new LineSplitter(position, freed > from);
  let file: FileHandle | undefined;
  let changed: ReadonlySet<string> | undefined;
  try {
    for (;;) {
      // Asked before the reading, so that all that was printed before the end is read.
      const looks = changed === undefined || changed.has("exit");
      const ended = looks && (await hasEnded());
      file ??= await openIfThere(heldFiles(directory).out);
      if (file !== undefined) {
        const { size } = await file.stat();
        while (position < size) {
          signal.throwIfAborted();
          // How much waits to be read is for the writer to say, however long whoever reads holds us up.
          const next = limit ? await limit.leaveOut(position, (await file.stat()).size) : position;
          if (next > position) {
            lines = new LineSplitter(next, true);
            position = next;
            continue;
          }
          // Anew each time: a command that says nothing for an hour takes no memory of ours meanwhile.
          const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - position));
          const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
          if (bytesRead === 0) break; // somebody cut the file
          yield* lines.push(chunk.subarray(0, bytesRead));
          position += bytesRead;
          await limit?.freeRead(position);
        }
        if (looks) await limit?.freeErrors();
      }
      if (ended) {
        const last = lines.finish();
        if (last) yield last;
        return;
      }
      if (!changes) return;
      changed = await changes.next(signal);
    }
  } finally {
    await file?.close();
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (failure) {
    if (hasCode(failure, "ENOENT")) return undefined; // not started yet, or never
    throw failure;
  }
}
