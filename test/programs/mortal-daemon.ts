/**
 * A daemon that writes down each step of its life, and at the one it is told dies by SIGKILL right there:
 * `node mortal-daemon.ts STEPS [STEP]`, with its home in DROVER_HOME. Steps count from when the file STEPS is there;
 * `forge.putComment:after#2` is the second of that name.
 */
import { appendFileSync, existsSync } from "node:fs";
import { createDaemon } from "../../src/daemon/daemon.ts";
import { watchParts } from "../support/watched-parts.ts";

const [steps = "", last = ""] = process.argv.slice(2);
const counts = new Map<string, number>();

function onStep(name: string): void {
  if (!existsSync(steps)) return;
  const count = (counts.get(name) ?? 0) + 1;
  counts.set(name, count);
  appendFileSync(steps, `${name}\n`);
  if (`${name}#${count}` === last) process.kill(process.pid, "SIGKILL");
}

const daemon = await createDaemon(
  {
    home: process.env["DROVER_HOME"] ?? "",
    env: process.env,
    onFatal: (error) => {
      throw error;
    },
  },
  { decorate: (parts) => watchParts(parts, onStep) },
);
console.log(JSON.stringify({ url: daemon.url, pid: process.pid }));
await daemon.stopped;
