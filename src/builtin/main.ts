/**
 * Drover's own agent, as a program of one run. Reads its order (`AgentOrder`, a JSON line) and people's answers on stdin, works in
 * the current directory, and says what it does on stdout. SIGTERM ends it with the tools that it runs.
 */
import { carryOrder } from "./carry-order.ts";
import { Inbox } from "./inbox.ts";

// What its warnings are about (a setting that a model does not know) is nothing for a person to read after each call.
globalThis.AI_SDK_LOG_WARNINGS = false;

const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, () => stop.abort(new Error(`ended by ${signal}`)));
const print = (line: string) => void process.stdout.write(`${line}\n`);
process.exit(await carryOrder(new Inbox(process.stdin), { workspace: process.cwd(), env: process.env, groups: null }, print, stop.signal));
