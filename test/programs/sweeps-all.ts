/** `sweeps-all.ts SCOPE`: ends every process of that scope, as a daemon would, and says whose it ended. */
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { createProcessHost } from "../../src/process/real-host.ts";
import { createSystemTable } from "../../src/process/system-table.ts";

const [scope = ""] = process.argv.slice(2);
const table = createSystemTable(systemClock);
const options = { clock: systemClock, log: silentLog, table, scope, agentHosts: "/nowhere", path: "/usr/bin:/bin" };
const host = createProcessHost({ ...options, outputMaxBytes: 2 ** 20 });
console.log(JSON.stringify(await host.sweep(() => false)));
