/** Prints its arguments, environment, folder and open files as JSON. */
import { readdirSync, readlinkSync } from "node:fs";

const open = readdirSync("/proc/self/fd").flatMap((fd) => {
  try {
    const target = readlinkSync(`/proc/self/fd/${fd}`);
    return target.startsWith("/") && !target.startsWith("/proc/") && !target.startsWith("/dev/") ? [target] : [];
  } catch {
    return []; // the one that listed the others
  }
});
console.log(JSON.stringify({ argv: process.argv.slice(2), env: process.env, cwd: process.cwd(), open }));
