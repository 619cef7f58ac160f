import { writeSync } from "node:fs";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import type { ProjectId } from "../../src/contract/ids.ts";
import { Database } from "../../src/store/database.ts";
import { insertTask } from "../../src/store/tasks.ts";
import { newTask } from "../support/scratch-database.ts";

// Writes tasks for ever, several a turn, and prints the id of each once its write has been acknowledged. Ends with status
// 3 when the storage can't be trusted any more. Arguments: the database, the project.
const [path = "", projectId = ""] = process.argv.slice(2);
const database = Database.open({
  path,
  backups: `${path}-backups`,
  clock: systemClock,
  log: silentLog,
  reserveBytes: 0,
  onFatal: (error) => {
    console.error(error.message);
    process.exit(3);
  },
});

async function write(key: string): Promise<void> {
  const source = { kind: "cli", key, issue: null, url: null, actor: null } as const;
  const { task } = await database.write((tx) => insertTask(tx, newTask(projectId as ProjectId, { source, body: "x".repeat(2000) })));
  // At once and past every buffer, so that what is read was really acknowledged.
  writeSync(1, `${task.id}\n`);
}

for (let turn = 0; ; turn += 1) await Promise.all([1, 2, 3].map((index) => write(`${process.pid}-${turn}-${index}`)));
