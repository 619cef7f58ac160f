import { rename, stat, writeFile } from "node:fs/promises";
import { messageOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { heldFiles, readIfThere } from "./held-folder.ts";
import type { Spawner } from "./spawner.ts";

/** Unit of `blocks` in the answer of stat(2). */
const BLOCK_BYTES = 512;

/** How much of the head of a folder's `out` was given back to the disk. */
export async function readFreed(directory: string): Promise<number> {
  return Number((await readIfThere(heldFiles(directory).freed)) ?? 0);
}

/**
 * Keeps the output of a held command from filling the disk: when `out` or `err` takes more than `maxBytes`, its head is
 * given back without moving the offsets in it, which the writer never notices. Of `out` only what was read goes, and
 * half of `maxBytes` before that stays, for a reader that comes back to an offset it saved a little late. So while
 * nobody reads (the daemon is down) the file grows, and the next reader brings it back.
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
    const { out, freed } = heldFiles(this.#directory);
    const bytes = Math.floor(readUpTo - this.#maxBytes / 2);
    if (bytes <= 0 || !(await this.#isTooBig(out)) || !(await this.#free(out, bytes))) return;
    await writeFile(`${freed}.tmp`, String(bytes), { mode: 0o600 });
    await rename(`${freed}.tmp`, freed);
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
