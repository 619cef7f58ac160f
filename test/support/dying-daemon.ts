/**
 * A daemon in small, to be killed: `node dying-daemon.ts FOLDER MARKER PROGRAM [ARG...]` starts a program of
 * test/programs as a held command, says so, and waits.
 */
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { createProcessHost } from "../../src/process/real-host.ts";
import { createSystemTable } from "../../src/process/system-table.ts";
import { commandIn, PATH } from "./held-command.ts";

const [folder = "", marker = "", program = "", ...args] = process.argv.slice(2);
const table = createSystemTable(systemClock);
const host = createProcessHost({ clock: systemClock, log: silentLog, table, scope: folder, path: PATH, outputMaxBytes: 2 ** 30 });
console.log(JSON.stringify(await host.start({ ...commandIn(folder, marker, program, ...args), stdin: "before\n" })));
process.stdin.resume();
