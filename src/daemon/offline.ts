import { homedir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { AppError, toAppError } from "../base/errors.ts";
import { silentLog } from "../base/log.ts";
import { homePaths, type HomePaths } from "../base/paths.ts";
import { backUp, verify } from "../store/backup.ts";
import { Database } from "../store/database.ts";
import { InstanceLock } from "./instance-lock.ts";

// `drover store verify` and `drover store backup` while no daemon runs: prints one line of JSON.

const paths = homePaths(process.env["DROVER_HOME"] ?? join(homedir(), ".drover"));

try {
  using _lock = InstanceLock.acquire(paths);
  process.stdout.write(`${JSON.stringify(await run(process.argv[2], paths))}\n`);
} catch (thrown) {
  const error = toAppError(thrown);
  process.stderr.write(`drover: ${error.message}\n`);
  process.exitCode = 1;
}

async function run(verb: string | undefined, { database, backups }: HomePaths): Promise<unknown> {
  if (verb === "verify") return verify(database);
  if (verb !== "backup") throw new AppError("invalid", "Use: offline.ts verify | backup");
  const open = Database.open({ path: database, backups, clock: systemClock, log: silentLog });
  try {
    return await backUp(open, backups);
  } finally {
    open.close();
  }
}
