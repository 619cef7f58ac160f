/** Loaded before a program: writes, when that ends, how late its event loop came to its timers, to the file of BENCH_DELAY_FILE. */
import { writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

const file = process.env["BENCH_DELAY_FILE"];
const delay = monitorEventLoopDelay({ resolution: 10 });
delay.enable();
process.on("exit", () => file !== undefined && writeFileSync(file, JSON.stringify({ p99Ms: delay.percentile(99) / 1e6 })));
