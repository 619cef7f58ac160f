import type { Writable } from "node:stream";
import { painted, type Shown } from "../words/shown.ts";

/** Where a command writes: its answer to stdout, everything said besides to stderr. */
export class Terminal {
  readonly #out: Writable;
  readonly #err: Writable;
  readonly #hasColor: boolean;
  /** Whether a person can be asked something. */
  readonly isInteractive: boolean;
  /** Columns of a line; undefined where lines may be of any length, in a file or a pipe. */
  readonly width: number | undefined;

  constructor(options: { out: Writable; err: Writable; hasColor: boolean; isInteractive: boolean; width: number | undefined }) {
    this.#out = options.out;
    this.#err = options.err;
    this.#hasColor = options.hasColor;
    this.isInteractive = options.isInteractive;
    this.width = options.width;
  }

  /** The answer, each on lines of its own. */
  print(...lines: readonly Shown[]): void {
    for (const line of lines) this.#out.write(`${line.render(this.#hasColor)}\n`);
  }

  /** Progress and hints, which a script does not want to read. */
  note(line: Shown): void {
    this.#err.write(`${line.render(this.#hasColor)}\n`);
  }

  /** The answer as JSON; on one line where several follow each other. */
  printJson(value: unknown, layout: "document" | "line" = "document"): void {
    this.#out.write(`${escaped(JSON.stringify(value, null, layout === "document" ? 2 : 0))}\n`);
  }

  noteJson(value: unknown): void {
    this.#err.write(`${escaped(JSON.stringify(value))}\n`);
  }

  /** Rows under a line of names, in columns. */
  async printTable(names: readonly string[], rows: readonly (readonly Shown[])[]): Promise<void> {
    const { layOut } = await import("./table.ts");
    const cells = [names.map((name) => painted("dim", name)), ...rows].map((row) => row.map((cell) => cell.render(this.#hasColor)));
    for (const line of layOut(cells, this.width)) this.#out.write(`${line}\n`);
  }
}

/** The same JSON in characters that no terminal obeys: what JSON leaves as it is beyond C0 is written as \uXXXX. */
function escaped(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
