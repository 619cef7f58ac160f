import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { hasCode } from "./system-error.ts";

/** What was read of a spool, from one place to another (bytes). */
export interface Spooled {
  /** JSON objects as they were written, not parsed. */
  readonly records: readonly string[];
  readonly end: number;
  /** Pieces that are no JSON object: two programs wrote into each other, or one was killed while it wrote. */
  readonly damaged: number;
}

/** Read at once: more than any hook sends. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * The records of a spool behind `from` that are complete now; `end` is `from` when there are none. A spool is a file to
 * which others append JSON objects, each by one write, with or without a newline behind. The agent can write to it, so
 * nothing but a plain file of that very name is opened.
 */
export async function readSpool(file: string, from: number): Promise<Spooled> {
  const handle = await openPlain(file);
  if (handle === undefined) return { records: [], end: from, damaged: 0 };
  try {
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(await sizeOfChunk(handle, from)), position: from });
    const bytes = buffer.subarray(0, bytesRead);
    const split = splitObjects(bytes);
    // No record is so long: what never becomes complete is passed over.
    if (split.end === 0 && bytes.length === CHUNK_BYTES) return { records: [], end: from + CHUNK_BYTES, damaged: 1 };
    return { ...split, end: from + split.end };
  } finally {
    await handle.close();
  }
}

/** The whole JSON objects at the front of `bytes`, and where the last of them, or what is damaged, ends. */
export function splitObjects(bytes: Uint8Array): Spooled {
  const records: string[] = [];
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let [depth, start, end, damaged] = [0, 0, 0, 0];
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at];
    if (depth > 0 && isCutShort(text, at, isInString)) {
      [depth, isInString, end] = [0, false, at + 1];
      damaged += 1;
    } else if (isInString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) isInString = depth > 0;
    else if (byte === OPEN) {
      if (depth === 0) start = at;
      depth += 1;
    } else if (byte === CLOSE && depth > 0) {
      depth -= 1;
      if (depth > 0) continue;
      records.push(text.toString("utf8", start, at + 1));
      end = at + 1;
    } else if (depth === 0) end = at + 1;
  }
  return { records, end, damaged };
}

const [OPEN, CLOSE, QUOTE, BACKSLASH, NEWLINE] = [0x7b, 0x7d, 0x22, 0x5c, 0x0a];

/** JSON has no newline in a string, and no agent begins a line within its object with an open brace. */
function isCutShort(text: Buffer, at: number, isInString: boolean): boolean {
  return text[at] === NEWLINE && (isInString || text[at + 1] === OPEN);
}

async function openPlain(file: string): Promise<FileHandle | undefined> {
  let handle: FileHandle;
  try {
    // A link could lead to a file of ours that the agent can't read; opening a FIFO would wait for ever.
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (failure) {
    if (hasCode(failure, "ENOENT", "ELOOP", "ENXIO", "EACCES")) return undefined;
    throw failure;
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  return undefined;
}

async function sizeOfChunk(handle: FileHandle, from: number): Promise<number> {
  return Math.max(0, Math.min(CHUNK_BYTES, (await handle.stat()).size - from));
}
