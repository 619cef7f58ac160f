/** A daemon on a machine whose kernel limits nobody. */
import { createDaemon } from "../../src/daemon/daemon.ts";
import type { EngineParts } from "../../src/engine/parts.ts";
import { createProcessHost } from "../../src/process/real-host.ts";
import { createSystemTable } from "../../src/process/system-table.ts";

const { DROVER_HOME: home = "", PATH: path = "" } = process.env;
const onFatal = (error: Error) => {
  throw error;
};
const daemon = await createDaemon({ home, env: process.env, onFatal }, { decorate });
console.log(JSON.stringify({ url: daemon.url, pid: process.pid }));
await daemon.stopped;
process.exit(0);

function decorate(parts: EngineParts): EngineParts {
  const { clock, log, paths } = parts;
  const table = createSystemTable(clock);
  const own = { scope: paths.home, agentHosts: paths.agentHosts, path, outputMaxBytes: 2 ** 26, proc: "/nowhere" };
  const host = createProcessHost({ clock, log, table, ...own });
  return { ...parts, host };
}
