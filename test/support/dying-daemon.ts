/**
 * A daemon in small, to be killed: `node dying-daemon.ts FOLDER MARKER PROGRAM LIMITS` starts a program of
 * test/programs as a held command with these limits (JSON), says so, and waits.
 */
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import type { RunLimits } from "../../src/process/limits.ts";
import { createProcessHost } from "../../src/process/real-host.ts";
import { createSystemTable } from "../../src/process/system-table.ts";
import { commandIn, PATH } from "./held-command.ts";

const [folder = "", marker = "", program = "", limits = ""] = process.argv.slice(2);
const table = createSystemTable(systemClock);
const own = { scope: folder, agentHosts: join(folder, "agent-hosts"), path: PATH, outputMaxBytes: 2 ** 30 };
const host = createProcessHost({ clock: systemClock, log: silentLog, table, ...own });
const command = { ...commandIn(folder, marker, program), limits: JSON.parse(limits) as RunLimits };
console.log(JSON.stringify(await host.start({ ...command, stdin: program === "echoes-stdin.sh" ? "before\n" : "" })));
process.stdin.resume();
