import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { messageOf } from "../base/errors.ts";

const FIRST_LOOK_MS = 1000;
const NEXT_LOOK_MS = 60_000;
const BLOCK = 1024 * 1024;

/**
 * A file beside the database that holds room on the disk: on a full one even a DELETE fails. It is removed on the first
 * failed write, so that what runs can be recorded to its end, and made again when there is room.
 */
export class Reserve {
  readonly #path: string;
  readonly #bytes: number;
  readonly #clock: Clock;
  readonly #log: Log;
  #cancelLook: () => void;
  #isUsed = false;

  /** `bytes` 0: none is held. */
  constructor(path: string, bytes: number, clock: Clock, log: Log) {
    this.#path = path;
    this.#bytes = bytes;
    this.#clock = clock;
    this.#log = log;
    // Not at once: writing it takes tens of milliseconds, and whoever only looks into a database needs none.
    this.#cancelLook = bytes === 0 ? () => {} : clock.setTimer(FIRST_LOOK_MS, () => this.#look());
  }

  /** Whether it was given back to the disk and could not be made again yet. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  /** Gives the room back to the disk. False when there was none to give. */
  release(): boolean {
    if (!existsSync(this.#path)) return false;
    rmSync(this.#path);
    this.#isUsed = true;
    this.#log.error("the disk is full: the reserve is used up; make room", { path: this.#path });
    this.#lookAgain();
    return true;
  }

  close(): void {
    this.#cancelLook();
  }

  #look(): void {
    if (existsSync(this.#path)) return;
    try {
      const { bavail, bsize } = statfsSync(dirname(this.#path));
      // Not before twice as much would be left beside it.
      if (bavail * bsize >= 3 * this.#bytes) return this.#make();
    } catch (thrown) {
      // Without a reserve a full disk is noticed all the same, only with nothing to give.
      this.#log.warn("the reserve could not be made", { path: this.#path, error: messageOf(thrown) });
      rmSync(this.#path, { force: true });
    }
    this.#lookAgain();
  }

  // Real blocks, not a hole: a file that is only long holds no room.
  #make(): void {
    const file = openSync(this.#path, "w", 0o600);
    try {
      const block = Buffer.alloc(BLOCK);
      for (let written = 0; written < this.#bytes; written += BLOCK) writeSync(file, block);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    this.#isUsed = false;
  }

  #lookAgain(): void {
    this.#cancelLook();
    this.#cancelLook = this.#clock.setTimer(NEXT_LOOK_MS, () => this.#look());
  }
}
