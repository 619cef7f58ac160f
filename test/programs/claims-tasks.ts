import { setTimeout as wait } from "node:timers/promises";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { Database } from "../../src/store/database.ts";
import { loadShares } from "../../src/store/queue.ts";
import { claimTask } from "../../src/store/transitions.ts";

// Claims tasks of a database until none is queued, and prints their ids. Many of these run at once.
// Arguments: the database, the number of this worker.
const [path = "", worker = "1"] = process.argv.slice(2);
const database = Database.open({ path, backups: `${path}-backups`, clock: systemClock, log: silentLog, reserveBytes: 0 });

/** Looks, lets others go on, then claims what it saw: the others have often been faster. */
async function claimNext(): Promise<"none left" | undefined> {
  const [share] = loadShares(database.reader, systemClock.now());
  const head = share?.lanes[0]?.heads[0];
  if (!head) return "none left";
  await wait(0);
  const claim = {
    taskId: head.taskId,
    worker: Number(worker),
    agent: "a",
    driver: "d",
    isolation: "process",
    account: "a",
    leaseMs: 1000,
    virtualTime: 1,
  };
  const run = await database.write((tx) => claimTask(tx, claim));
  if (run) console.log(run.taskId);
  return undefined;
}

while ((await claimNext()) !== "none left");
database.close();
