/** Prints its arguments, environment (`NAME=value`), folder and open files as JSON. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const open = readdirSync("/proc/self/fd").flatMap((fd) => {
  try {
    const target = readlinkSync(`/proc/self/fd/${fd}`);
    return target.startsWith("/") && !target.startsWith("/proc/") && !target.startsWith("/dev/") ? [target] : [];
  } catch {
    return []; // the one that listed the others
  }
});
// Not process.env, which has no variables that are called like a number.
const env = readFileSync("/proc/self/environ", "utf8").split("\0").slice(0, -1);
console.log(JSON.stringify({ argv: process.argv.slice(2), env, cwd: process.cwd(), open }));
