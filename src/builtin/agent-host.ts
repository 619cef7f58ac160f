/**
 * The agent host: carries out many runs of Drover's own agent side by side, in one program. Its argument is its own folder, that
 * of a held command. It is told what to do on stdin (contract/agent-host.ts) and ends by itself: once it was told to retire, or
 * when it has had nothing to do for a while. It knows nothing of the daemon and outlives it.
 */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { systemClock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import { heldFiles, parseIdentity } from "../process/held-folder.ts";
import { HostedRuns } from "./hosted-runs.ts";

/** After this time without a run. The next one costs a start of the program. */
const IDLE_MS = 60_000;

// What its warnings are about (a setting that a model does not know) is nothing for a person to read after each call.
globalThis.AI_SDK_LOG_WARNINGS = false;

// A promise that nobody waits for, of one run's provider say, is no reason to take the other runs down.
process.on("unhandledRejection", (reason) => process.stderr.write(`A promise was rejected unheard: ${messageOf(reason)}\n`));

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error("An agent host is started by the daemon, with its folder.");
const { bootId, pid, startTime } = parseIdentity(readFileSync(heldFiles(directory).identity, "utf8"));
const runs = new HostedRuns({ directory, identity: { bootId, pid, startTime }, clock: systemClock, idleMs: IDLE_MS });
createInterface({ input: process.stdin }).on("line", (line) => runs.obey(line));
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.once(signal, () => runs.endAll(`ended by ${signal}`));
process.stdout.write(`${JSON.stringify(await runs.over())}\n`);
process.exit(0);
