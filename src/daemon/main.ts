import { homedir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { messageOf, toAppError } from "../base/errors.ts";
import type { Daemon } from "./daemon.ts";

// The daemon's process: started by `drover daemon start`, by a service manager, or by hand. Its home is DROVER_HOME.

const home = process.env["DROVER_HOME"] ?? join(homedir(), ".drover");
process.umask(0o077);
// Most of what a daemon makes is soon forgotten. V8 would let the room for that grow to 32 MB and never give it back; as small
// as it begins (2 MB) serves as well. What outlives that would be let grow to three times what is in use before it is cleared
// (210 MB resident after a hundred tasks, 140 with this). Set before anything is loaded.
setFlagsFromString("--semi-space-growth-factor=1");
setFlagsFromString("--heap-growing-percent=30");
const { createDaemon } = await import("./daemon.ts");

try {
  const daemon = await createDaemon({ home, env: process.env, onFatal: (error) => fail(`The storage failed: ${error.message}`) });
  obeySignals(daemon);
  process.stdout.write(`${JSON.stringify({ url: daemon.url, pid: process.pid })}\n`);
  await daemon.stopped;
  process.exit(0);
} catch (thrown) {
  const error = toAppError(thrown);
  fail(error.code === "internal" ? (error.stack ?? error.message) : error.message);
}

/** The first signal stops the daemon and leaves agents to the next one; a second one right behind it saves their work and ends them too. */
function obeySignals(daemon: Daemon): void {
  let signals = 0;
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.on(signal, () => {
      signals += 1;
      daemon.stop(signals === 1 ? "stop" : "kill").catch((thrown: unknown) => fail(messageOf(thrown)));
    });
  }
}

function fail(message: string): never {
  process.stderr.write(`drover: ${message}\n`);
  process.exit(1);
}
