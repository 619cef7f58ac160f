import Table from "cli-table3";

const places = [
  "top",
  "top-mid",
  "top-left",
  "top-right",
  "bottom",
  "bottom-mid",
  "bottom-left",
  "bottom-right",
  "left",
  "left-mid",
  "mid",
  "mid-mid",
  "right",
  "right-mid",
  "middle",
] as const;
const chars = Object.fromEntries(places.map((place) => [place, ""]));
const style = { "padding-left": 0, "padding-right": 2, head: [], border: [], compact: true };
const LAST_COLUMN_MIN = 12;

/**
 * Rows as lines with columns that line up: widths are counted as a terminal shows characters, whatever their script. The
 * last column is cut at `width`; undefined cuts nothing.
 */
export function layOut(rows: readonly (readonly string[])[], width: number | undefined): string[] {
  const lastWidth = width === undefined ? null : Math.max(LAST_COLUMN_MIN, width - widthOf(rows.map((row) => row.slice(0, -1))));
  const table = new Table({ chars, style, colWidths: [...(rows[0] ?? []).slice(1).map(() => null), lastWidth], truncate: "…" });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
}

function widthOf(rows: readonly string[][]): number {
  const table = new Table({ chars, style });
  table.push(...rows);
  return table.width;
}
