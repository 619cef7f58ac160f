// One benchmark in this process, for run.ts: `one.ts NAME OPTIONS`. Its figures are the one message it sends.

import type { Benchmark, BenchmarkOptions } from "./benchmark.ts";

const [name = "", options = "{}"] = process.argv.slice(2);
// The product's own timers let a process end; here something is always still to come.
const keepAlive = setInterval(() => {}, 60_000);
const { benchmark } = (await import(`./${name}.ts`)) as { benchmark: Benchmark };
const figures = await benchmark(JSON.parse(options) as BenchmarkOptions);
clearInterval(keepAlive);
process.send?.(figures, () => process.disconnect());
