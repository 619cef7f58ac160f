import type { OutputLine } from "./host.ts";

/** A longer line is left out: no event of an agent is that long, and it must not fill the daemon's memory. */
const LINE_MAX_BYTES = 4 * 2 ** 20;

/**
 * Cuts a stream of bytes into lines that know their offsets. Characters may be split over chunks. Holds no more than
 * one line of LINE_MAX_BYTES.
 */
export class LineSplitter {
  #offset: number;
  #parts: Buffer[] = [];
  #partBytes = 0;
  #isLeftOut: boolean;

  /** `from`: the offset of the first byte. `midLine`: that is inside of a line, whose rest is left out. */
  constructor(from: number, midLine = false) {
    this.#offset = from;
    this.#isLeftOut = midLine;
  }

  /** The lines that end in this chunk. Empty lines are lines. */
  *push(chunk: Buffer): Generator<OutputLine> {
    let start = 0;
    for (let newline = chunk.indexOf(10); newline !== -1; newline = chunk.indexOf(10, start)) {
      this.#keep(chunk.subarray(start, newline));
      start = newline + 1;
      this.#offset += 1;
      const line = this.#take();
      if (line !== undefined) yield line;
    }
    const rest = chunk.subarray(start);
    // A copy: the caller may use the chunk's memory again.
    this.#keep(this.#isLeftOut ? rest : Buffer.from(rest));
  }

  /** The last line, if it did not end with a line break. */
  finish(): OutputLine | undefined {
    return this.#partBytes > 0 ? this.#take() : undefined;
  }

  #keep(bytes: Buffer): void {
    this.#offset += bytes.length;
    this.#partBytes += bytes.length;
    if (this.#partBytes > LINE_MAX_BYTES) this.#isLeftOut = true;
    if (this.#isLeftOut) this.#parts = [];
    else if (bytes.length > 0) this.#parts.push(bytes);
  }

  #take(): OutputLine | undefined {
    const line = this.#isLeftOut ? undefined : { text: Buffer.concat(this.#parts).toString("utf8"), end: this.#offset };
    this.#parts = [];
    this.#partBytes = 0;
    this.#isLeftOut = false;
    return line;
  }
}
