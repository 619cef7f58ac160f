/**
 * Measures Drover beside the limits of this machine: `npm run bench`, `npm run bench -- --only 3,4 --quick`. Each benchmark runs in
 * a process of its own. What is not `--quick` is kept in bench/results/.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { BenchmarkOptions, Figure } from "./benchmark.ts";
import { describeMachine } from "./machine.ts";
import { names, type BenchmarkName } from "./names.ts";
import { describeFigures, saveResults, type Measured } from "./report.ts";

/** One that takes longer hangs. */
const TIMEOUT_MS = 20 * 60_000;
const ONE = fileURLToPath(new URL("one.ts", import.meta.url));

const { values } = parseArgs({
  options: { only: { type: "string" }, quick: { type: "boolean", default: false }, rounds: { type: "string" } },
});
const options: BenchmarkOptions = { quick: values.quick, rounds: Number(values.rounds ?? (values.quick ? 1 : 3)) };
const machine = describeMachine();
console.log(
  `${machine.processor}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.disk}, ${machine.system}, Node.js ${machine.node}`,
);

const measured: Measured[] = [];
for (const [number, name] of chosen()) {
  const startedAt = Date.now();
  const loadBefore = loadavg()[0] ?? 0;
  const figures = await measure(name);
  if (figures === undefined) {
    process.exitCode = 1;
    continue;
  }
  const one = { number, name, at: startedAt, load: [loadBefore, loadavg()[0] ?? 0] as const, figures };
  measured.push(one);
  console.log(describeFigures(one));
}
if (!options.quick && measured.length > 0) console.log(`Kept in ${saveResults(machine, measured)}.`);

function chosen(): [number, BenchmarkName][] {
  const all = names.map((name, index): [number, BenchmarkName] => [index + 1, name]);
  if (values.only === undefined) return all;
  const wanted = values.only.split(",");
  const unknown = wanted.filter((word) => !all.some(([number, name]) => word === String(number) || word === name));
  if (unknown.length > 0)
    throw new Error(`There is no benchmark ${unknown.join(", ")}. There is: ${all.map((one) => one.join(" ")).join(", ")}.`);
  return all.filter(([number, name]) => wanted.includes(String(number)) || wanted.includes(name));
}

/** Undefined: it failed, and has said why. */
async function measure(name: BenchmarkName): Promise<Figure[] | undefined> {
  const child = fork(ONE, [name, JSON.stringify(options)]);
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT_MS);
  let figures: Figure[] | undefined;
  child.on("message", (message) => (figures = message as Figure[]));
  await once(child, "exit");
  clearTimeout(timer);
  if (figures === undefined) console.error(`${name} failed.`);
  return figures;
}
