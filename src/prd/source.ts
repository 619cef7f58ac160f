import type { Path } from "../config/schema.ts";
import type { Tree } from "../config/tree.ts";

/** A PRD as its author wrote it: what it says, and where each thing stands. */
export interface PrdSource {
  /** How messages name it. */
  readonly file: string;
  readonly values: Tree;
  /** The line of the value at a path, or of the nearest thing around it; from 1. */
  readonly lineOf: (path: Path) => number;
}
