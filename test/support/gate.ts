import { execFileSync } from "node:child_process";
import { open, type FileHandle } from "node:fs/promises";

/** Where an agent waits until the test lets it go on: it runs `command`. */
export class Gate implements AsyncDisposable {
  /** For sh. */
  readonly command: string;
  readonly #fifo: FileHandle;

  private constructor(path: string, fifo: FileHandle) {
    this.command = `read -r _ <'${path}'`;
    this.#fifo = fifo;
  }

  /** @param path of a FIFO that is made there. */
  static async make(path: string): Promise<Gate> {
    execFileSync("mkfifo", [path]);
    // Both sides, so that neither this nor a write ever waits for a reader.
    return new Gate(path, await open(path, "r+"));
  }

  /** Lets so many through, now or when they come. One byte, which no two readers can get half of. */
  async open(times = 1): Promise<void> {
    await this.#fifo.write("\n".repeat(times));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fifo.close();
  }
}
