import { extname } from "node:path";
import { safeText } from "../base/text.ts";

/** The text of a file with records, by the ending of its name: `.csv`, a table; any other, JSON, a line a record. */
export function exportText(file: string, objects: readonly object[]): string {
  const records = objects as readonly Readonly<Record<string, unknown>>[];
  return extname(file).toLowerCase() === ".csv" ? toCsv(records) : records.map((record) => `${JSON.stringify(record)}\n`).join("");
}

/** As RFC 4180 has it: the names of all fields first; what is no text or number is JSON. */
function toCsv(records: readonly Readonly<Record<string, unknown>>[]): string {
  const names = [...new Set(records.flatMap((record) => Object.keys(record)))];
  return [names, ...records.map((record) => names.map((name) => plain(record[name])))]
    .map((row) => `${row.map(quoted).join(",")}\r\n`)
    .join("");
}

function plain(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A spreadsheet takes a cell that begins with one of these for a formula, and texts are from outside. */
const FORMULA = /^[=+\-@\t\r]/u;

function quoted(text: string): string {
  const safe = safeText(text);
  const harmless = FORMULA.test(safe) ? `'${safe}` : safe;
  return /[",\r\n]/u.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
