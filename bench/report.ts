import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Figure } from "./benchmark.ts";
import type { Machine } from "./machine.ts";

/** A benchmark's figures with when they were taken and how busy the machine was before and behind (load average of a minute). */
export interface Measured {
  readonly number: number;
  readonly name: string;
  readonly at: number;
  readonly load: readonly [before: number, behind: number];
  readonly figures: readonly Figure[];
}

interface Results {
  readonly machine: Machine;
  readonly measured: readonly Measured[];
}

const folder = join(import.meta.dirname, "results");
const HEAD = ["figure", "median", "best", "limit, measured beside it", "limit", "times the limit", "goal", ""];

/** For a terminal. */
export function describeFigures({ number, name, load, figures }: Measured): string {
  const rows = figures.map(cells);
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row.map((cell, column) => (isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  "),
  );
  return [`\n${number}. ${name}  (load ${describeLoad(load)})`, ...lines.map((line) => `  ${line.trimEnd()}`)].join("\n");
}

/**
 * Keeps what was measured, beside the newest figures of the benchmarks that were left out this time, if they are of this
 * machine. Returns the file.
 */
export function saveResults(machine: Machine, measured: readonly Measured[]): string {
  mkdirSync(folder, { recursive: true });
  const earlier = newestResults(machine).filter((one) => !measured.some(({ name }) => name === one.name));
  const results = { machine, measured: [...earlier, ...measured].toSorted((a, b) => a.number - b.number) };
  const file = join(folder, `${new Date().toISOString().slice(0, 10)}.json`);
  writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(join(folder, "latest.md"), markdown(results));
  return file;
}

function newestResults(machine: Machine): readonly Measured[] {
  const newest = readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .toSorted()
    .at(-1);
  if (newest === undefined) return [];
  const results = JSON.parse(readFileSync(join(folder, newest), "utf8")) as Results;
  return JSON.stringify(results.machine) === JSON.stringify(machine) ? results.measured : [];
}

function markdown({ machine, measured }: Results): string {
  const { processor, cores, memoryGB, disk, system, node } = machine;
  return `${[
    "# Latest figures",
    "",
    "Written by `npm run bench`; [what they mean](../../docs/benchmarks.md).",
    "",
    `Machine: ${processor}, ${cores} cores, ${memoryGB} GB, ${disk}, ${system}, Node.js ${node}.`,
    ...measured.flatMap(section),
  ].join("\n")}\n`;
}

function section({ number, name, at, load, figures }: Measured): string[] {
  const when = new Date(at).toISOString().slice(0, 16).replace("T", " ");
  return [
    "",
    `## ${number}. ${name}`,
    "",
    `${when} UTC, load average ${describeLoad(load)}.`,
    "",
    `| ${HEAD.join(" | ")} |`,
    `| ${HEAD.map((_, column) => (isText(column) ? "---" : "---:")).join(" | ")} |`,
    ...figures.map((figure) => `| ${cells(figure).join(" | ")} |`),
  ];
}

function cells({ name, unit, ours, limit, goal }: Figure): string[] {
  // Neighbours on the machine only ever slow a round down.
  const best = unit === "/s" ? ours.most : ours.least;
  const amount = (value: number) => `${round(value)}${unit === "×" ? "" : " "}${unit}`;
  return [
    name,
    amount(ours.median),
    amount(best),
    limit?.name ?? "",
    limit ? amount(limit.value.median) : "",
    limit ? `${round(ours.median / limit.value.median)}×` : "",
    goal ? [goal.first, ...(goal.later === undefined ? [] : [goal.later])].map(round).join(", then ") : "",
    goal ? (ours.median <= goal.first ? "met" : best <= goal.first ? "met at best" : "missed") : "",
  ];
}

function isText(column: number): boolean {
  return column === 0 || column === 3 || column === 7;
}

function round(value: number): string {
  return value.toLocaleString("en-US", { maximumSignificantDigits: value >= 100 ? Math.max(3, Math.floor(Math.log10(value)) + 1) : 3 });
}

function describeLoad([before, behind]: Measured["load"]): string {
  return `${before.toFixed(1)} before, ${behind.toFixed(1)} behind`;
}
