import { test } from "vitest";
import type { needs } from "./needs.ts";

/** The place of a test in a matrix, which the closing summary shows whole. */
export interface Cell {
  readonly matrix: string;
  readonly row: string;
  readonly column: string;
}

declare module "vitest" {
  interface TaskMeta {
    cell?: Cell;
  }
}

/** A test that is a cell of a matrix. One whose needs the machine lacks is left out, by name and with what is missing. */
export function testCell(cell: Cell, needed: ReturnType<typeof needs>, body: () => Promise<void>, timeout: number): void {
  // oxlint-disable-next-line vitest/expect-expect -- the body has them
  test(`${cell.row} in ${cell.column}`, { timeout }, async ({ task, skip }) => {
    task.meta.cell = cell;
    skip(!needed.ok, needed.missing);
    await body();
  });
}
