/** A daemon that never comes to the end of collecting an agent's work, as on a disk that does not answer. */
import { createDaemon } from "../../src/daemon/daemon.ts";
import type { EngineParts } from "../../src/engine/parts.ts";

const home = process.env["DROVER_HOME"] ?? "";
const onFatal = (error: Error) => {
  throw error;
};
const daemon = await createDaemon({ home, env: process.env, onFatal }, { decorate });
console.log(JSON.stringify({ url: daemon.url, pid: process.pid }));
await daemon.stopped;
process.exit(0);

function decorate(parts: EngineParts): EngineParts {
  // All else as it is: its methods are called on what stands behind it.
  const workspaces = new Proxy(parts.workspaces, {
    get(target, key) {
      if (key === "collect") return () => new Promise(() => {});
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  return { ...parts, workspaces };
}
