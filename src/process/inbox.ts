import { constants, existsSync, open } from "node:fs";
import { Socket } from "node:net";
import { promisify } from "node:util";
import type { Clock } from "../base/clock.ts";
import { AppError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { Changes } from "./changes.ts";
import { heldFiles } from "./held-folder.ts";
import { failureTo, hasCode } from "./system-error.ts";

/** A command that has not read its stdin for so long will not; the FIFO itself holds 64 KB for it. */
const TAKEN_WITHIN_MS = 30_000;

/** Writes to the stdin of held commands, whole texts one after the other, behind what the holder hands over first. */
export class Inbox {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #last = new Map<string, Promise<void>>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Sends one thing after the other to a command, in the order of the calls. */
  async inTurn(directory: string, send: () => Promise<void>): Promise<void> {
    const before = this.#last.get(directory);
    const sending = (async () => {
      await before?.catch(() => {}); // its own sender was told
      await send();
    })();
    this.#last.set(directory, sending);
    try {
      await sending;
    } finally {
      if (this.#last.get(directory) === sending) this.#last.delete(directory);
    }
  }

  /**
   * Resolves when the system has all of the text. `check` may refuse it. Throws `conflict` when nobody has the FIFO open any
   * more, `timeout` when nobody reads it; a part of the text may have been taken by then.
   */
  async write(directory: string, text: string, check: () => Promise<void>): Promise<void> {
    await check();
    await this.#untilFirstInputIsTaken(directory, check);
    await this.#write(heldFiles(directory).in, text);
  }

  async #untilFirstInputIsTaken(directory: string, check: () => Promise<void>): Promise<void> {
    const { input } = heldFiles(directory);
    if (!existsSync(input)) return;
    const late = new AbortController();
    const cancelTimer = this.#clock.setTimer(TAKEN_WITHIN_MS, () => late.abort(notReading(input)));
    const changes = new Changes(directory, this.#clock, this.#log);
    try {
      while (existsSync(input)) {
        // It may have ended meanwhile: then nobody will take it.
        await check();
        await changes.next(late.signal);
      }
    } finally {
      changes.close();
      cancelTimer();
    }
  }

  async #write(path: string, text: string): Promise<void> {
    let fd: number;
    try {
      // Without O_NONBLOCK it would wait, in the thread pool, for somebody to open the other side.
      fd = await promisify(open)(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (cause) {
      if (hasCode(cause, "ENXIO", "ENOENT")) throw notListening(path, cause);
      throw failureTo(`write to ${path}`, cause);
    }
    const pipe = new Socket({ fd, readable: false, writable: true });
    await new Promise<void>((resolve, reject) => {
      const cancelTimer = this.#clock.setTimer(TAKEN_WITHIN_MS, () => pipe.destroy(notReading(path)));
      let failure: Error | undefined;
      pipe.once("error", (error) => (failure = hasCode(error, "EPIPE") ? notListening(path, error) : error));
      pipe.once("close", () => {
        cancelTimer();
        if (failure) reject(failure);
        else resolve();
      });
      pipe.end(text);
    });
  }
}

function notReading(path: string): AppError {
  return new AppError("timeout", `The command does not read its stdin, ${path}. Stop it and try again.`);
}

function notListening(path: string, cause: unknown): AppError {
  return new AppError("conflict", `Nobody reads ${path}: the command has ended, or closed its stdin.`, { cause });
}
