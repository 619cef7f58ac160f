/** One line of a change. */
export interface ChangedLine {
  /** 1-based: of an added one in the new file, of a removed one in the old. */
  readonly line: number;
  readonly text: string;
}

/** What a change does to one file. */
export interface FileChange {
  readonly path: string;
  readonly status: "added" | "changed" | "removed";
  /** None of a file that is no text. */
  readonly added: readonly ChangedLine[];
  readonly removed: readonly ChangedLine[];
}

export interface ChangeSize {
  readonly files: number;
  readonly added: number;
  readonly removed: number;
}

export function sizeOf(changes: readonly FileChange[]): ChangeSize {
  const count = (key: "added" | "removed") => changes.reduce((sum, change) => sum + change[key].length, 0);
  return { files: changes.length, added: count("added"), removed: count("removed") };
}
