/** Keeps the head and the tail of a stream of bytes, half of `maxBytes` each, and counts what is between. */
export class HeadAndTail {
  readonly #half: number;
  #head = Buffer.alloc(0);
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #leftOutBytes = 0;

  constructor(maxBytes: number) {
    this.#half = Math.floor(maxBytes / 2);
  }

  push(chunk: Buffer): void {
    const ofHead = chunk.subarray(0, this.#half - this.#head.length);
    if (ofHead.length > 0) this.#head = Buffer.concat([this.#head, ofHead]);
    const rest = chunk.subarray(ofHead.length);
    if (rest.length === 0) return;
    this.#tail.push(rest);
    this.#tailBytes += rest.length;
    // Cut only now and then: joining at each chunk would cost the square of the output.
    if (this.#tailBytes > 2 * this.#half) this.#cutTail();
  }

  text(): string {
    this.#cutTail();
    const between = this.#leftOutBytes > 0 ? `\n[${this.#leftOutBytes} bytes left out]\n` : "";
    // In one piece where nothing is left out: a character may lie across the two.
    if (between === "") return Buffer.concat([this.#head, ...this.#tail]).toString("utf8");
    return this.#head.toString("utf8") + between + Buffer.concat(this.#tail).toString("utf8");
  }

  #cutTail(): void {
    const tail = Buffer.concat(this.#tail);
    const kept = tail.subarray(Math.max(0, tail.length - this.#half));
    this.#leftOutBytes += tail.length - kept.length;
    // A copy: the rest of what it is a part of can go.
    this.#tail = [Buffer.from(kept)];
    this.#tailBytes = kept.length;
  }
}
