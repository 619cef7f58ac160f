/**
 * Says `ready`, waits for a line, and then takes memory without end, 8 MB every 10 ms: `allocates.ts [child]`. `child`: a
 * child of its does, and when that is gone it says `my child is gone` and waits. If nobody ends it, it takes no more at 2 GB, so
 * that a measurement that is late finds it all the same, and ends by itself a minute later.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";

const PIECE_BYTES = 8e6;
const MOST_BYTES = 2e9;
const HOLDS_FOR_MS = 60_000;
const held: Buffer[] = [];

console.log("ready");
await once(process.stdin, "data");
if (process.argv[2] === "child") {
  const child = spawn(process.execPath, [import.meta.filename], { stdio: ["pipe", "ignore", "inherit"] });
  child.stdin.write("go\n");
  await once(child, "exit");
  console.log("my child is gone");
} else {
  const taking = setInterval(() => {
    held.push(Buffer.alloc(PIECE_BYTES, 1));
    if (held.length * PIECE_BYTES < MOST_BYTES) return;
    clearInterval(taking);
    setTimeout(() => process.exit(3), HOLDS_FOR_MS);
  }, 10);
}
