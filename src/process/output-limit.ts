import { rename, stat, writeFile } from "node:fs/promises";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { heldFiles, readIfThere } from "./held-folder.ts";
import type { Spawner } from "./spawner.ts";

/** Unit of `blocks` in the answer of stat(2). */
const BLOCK_BYTES = 512;

/** So many times `maxBytes` may wait to be read. A daemon that comes back finds all that an agent said meanwhile; a flood comes to an end. */
const UNREAD_MAX = 4;

/** How much of the head of a folder's `out` was given back to the disk. */
export async function readFreed(directory: string): Promise<number> {
  return Number((await readIfThere(heldFiles(directory).freed)) ?? 0);
}

/**
 * Keeps the output of a held command from filling the disk: when `out` or `err` takes more than `maxBytes`, its head is
 * given back without moving the offsets in it, which the writer never notices. Of `out` only what was read goes, and
 * half of `maxBytes` before that stays, for a reader that comes back to an offset it saved a little late. So while
 * nobody reads (the daemon is down) the file grows, and the next reader brings it back. A writer that is faster than its
 * reader by UNREAD_MAX loses the head of what is unread.
 * Needs fallocate and a file system that can do it (ext4, xfs, btrfs, tmpfs); elsewhere the files are left alone.
 */
export class OutputLimit {
  readonly #directory: string;
  readonly #maxBytes: number;
  readonly #spawner: Spawner;
  readonly #log: Log;
  #nextLook = 0;
  #isPossible = true;

  constructor(directory: string, maxBytes: number, spawner: Spawner, log: Log) {
    this.#directory = directory;
    this.#maxBytes = maxBytes;
    this.#spawner = spawner;
    this.#log = log;
  }

  /** To be told how far `out` has been read; asks the system only every quarter of `maxBytes`. */
  async freeRead(readUpTo: number): Promise<void> {
    if (readUpTo < this.#nextLook) return;
    this.#nextLook = readUpTo + this.#maxBytes / 4;
    const { out } = heldFiles(this.#directory);
    const bytes = Math.floor(readUpTo - this.#maxBytes / 2);
    if (bytes > 0 && (await this.#isTooBig(out))) await this.#freeHead(bytes);
  }

  /** Where to read on from, of an `out` of this size: behind what is given back unread, because too much waits to be read. */
  async leaveOut(readUpTo: number, size: number): Promise<number> {
    if (!this.#isPossible || size - readUpTo <= UNREAD_MAX * this.#maxBytes) return readUpTo;
    const bytes = Math.floor(size - this.#maxBytes / 2);
    if (!(await this.#freeHead(bytes))) return readUpTo;
    this.#log.warn("A command prints faster than it can be read: a part of its output is left out.", {
      path: heldFiles(this.#directory).out,
      leftOutBytes: bytes - readUpTo,
    });
    return bytes;
  }

  async #freeHead(bytes: number): Promise<boolean> {
    const { out, freed } = heldFiles(this.#directory);
    if (!(await this.#free(out, bytes))) return false;
    await writeFile(`${freed}.tmp`, String(bytes), { mode: 0o600 });
    await rename(`${freed}.tmp`, freed);
    return true;
  }

  /** Once the command has ended: what nobody has read by now is not waited for. */
  async freeRest(): Promise<void> {
    const size = await this.#isTooBig(heldFiles(this.#directory).out);
    if (size) await this.#freeHead(Math.floor(size - this.#maxBytes / 2));
    await this.freeErrors();
  }

  async freeErrors(): Promise<void> {
    const { err } = heldFiles(this.#directory);
    const size = await this.#isTooBig(err);
    if (size) await this.#free(err, Math.floor(size - this.#maxBytes / 2));
  }

  /** The size of a file that takes too much of the disk. */
  async #isTooBig(path: string): Promise<number | undefined> {
    if (!this.#isPossible) return undefined;
    const { size, blocks } = await stat(path);
    return blocks * BLOCK_BYTES > this.#maxBytes ? size : undefined;
  }

  async #free(path: string, bytes: number): Promise<boolean> {
    let why = "The system cannot free a part of a file.";
    try {
      if ((await this.#spawner.free(path, bytes)).word === "done") return true;
    } catch (failure) {
      why = messageOf(failure);
    }
    // Safe to go on: the output is whole, it only takes more room.
    this.#isPossible = false;
    this.#log.info("The output of a command is not limited on disk.", { path, why });
    return false;
  }
}
