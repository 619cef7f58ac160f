/** The header of a frame: which stream (1 stdout, 2 stderr), three zeros, its length in four bytes, big end first. */
const HEADER_BYTES = 8;

/** Takes apart what an attached container prints, in whatever pieces it comes. */
export class FrameReader {
  readonly #write: (stream: "stdout" | "stderr", bytes: Buffer) => void;
  #header = Buffer.alloc(0);
  #stream: "stdout" | "stderr" = "stdout";
  #left = 0;

  constructor(write: (stream: "stdout" | "stderr", bytes: Buffer) => void) {
    this.#write = write;
  }

  read(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const bytes = chunk.subarray(at, at + this.#left);
        this.#write(this.#stream, bytes);
        this.#left -= bytes.length;
        at += bytes.length;
      } else at += this.#readHeader(chunk.subarray(at));
    }
  }

  #readHeader(bytes: Buffer): number {
    const taken = Math.min(bytes.length, HEADER_BYTES - this.#header.length);
    this.#header = Buffer.concat([this.#header, bytes.subarray(0, taken)]);
    if (this.#header.length === HEADER_BYTES) {
      this.#stream = this.#header[0] === 2 ? "stderr" : "stdout";
      this.#left = this.#header.readUInt32BE(4);
      this.#header = Buffer.alloc(0);
    }
    return taken;
  }
}
