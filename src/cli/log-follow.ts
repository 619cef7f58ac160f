import { open, stat, type FileHandle } from "node:fs/promises";
import { sleep, type Clock } from "../base/clock.ts";

const POLL_MS = 200;
const CHUNK_BYTES = 65_536;

/** The last `count` lines of a file; none when there is no file. */
export async function lastLines(file: string, count: number): Promise<{ lines: string[]; size: number }> {
  const handle = await openIfThere(file);
  if (handle === undefined) return { lines: [], size: 0 };
  try {
    const { size } = await handle.stat();
    let text = "";
    let from = size;
    while (from > 0 && text.split("\n").length <= count + 1) {
      const length = Math.min(CHUNK_BYTES, from);
      from -= length;
      const { buffer } = await handle.read({ buffer: Buffer.alloc(length), position: from, length });
      text = buffer.toString("latin1") + text;
    }
    // Chunks may split a character, so the bytes are put together first and read as UTF-8 only then.
    const lines = Buffer.from(text, "latin1").toString("utf8").split("\n").slice(0, -1);
    return { lines: lines.slice(-count), size };
  } finally {
    await handle.close();
  }
}

/**
 * The lines that are added to a file behind `position`, as they come, until the signal. When the file is rotated away or
 * begins anew, what is left of the old one comes first and the new one follows from its beginning.
 */
export async function* followLines(file: string, position: number, clock: Clock, signal: AbortSignal): AsyncGenerator<string> {
  let handle = await openIfThere(file);
  let at = position;
  let rest = Buffer.alloc(0);
  try {
    for (;;) {
      const added = handle === undefined ? Buffer.alloc(0) : await readFrom(handle, at);
      at += added.length;
      rest = Buffer.concat([rest, added]);
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        yield rest.subarray(0, end).toString("utf8");
        rest = rest.subarray(end + 1);
      }
      if (added.length > 0) continue;
      if (await isReplaced(file, handle, at)) {
        await handle?.close();
        handle = await openIfThere(file);
        [at, rest] = [0, Buffer.alloc(0)];
      } else await sleep(clock, POLL_MS, signal);
    }
  } finally {
    await handle?.close();
  }
}

async function readFrom(handle: FileHandle, position: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(CHUNK_BYTES), position });
  return buffer.subarray(0, bytesRead);
}

/** Whether the name leads to another file than the one that is open, or to the same one made shorter. */
async function isReplaced(file: string, handle: FileHandle | undefined, at: number): Promise<boolean> {
  const named = await stat(file).catch(() => undefined);
  if (named === undefined) return false;
  if (handle === undefined) return true;
  return named.ino !== (await handle.stat()).ino || named.size < at;
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}
