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

  /** Lets one through, now or when it comes. */
  async open(): Promise<void> {
    await this.#fifo.write("go\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#fifo.close();
  }
}
