import type { ResponseOf } from "../../contract/control.ts";
import type { Cli } from "../cli.ts";
import { runningDaemon, runOffline } from "../daemon-process.ts";
import { Ended } from "../exit-codes.ts";
import { megabytes, plural } from "../../words/format.ts";
import { painted, show, type Shown } from "../../words/shown.ts";

export async function backup(cli: Cli): Promise<void> {
  const saved = (await runningDaemon(cli))
    ? await (await cli.connect()).backUpStore({ signal: cli.signal })
    : ((await runOffline(cli, "backup")) as ResponseOf<"backUpStore">);
  if (cli.isJson) return cli.terminal.printJson(saved);
  cli.terminal.print(show`Saved to ${painted("cyan", saved.path)} (${megabytes(saved.bytes)}).`);
}

/** Fails when anything is wrong with the database, and says what. */
export async function verify(cli: Cli): Promise<void> {
  const found = (await runningDaemon(cli))
    ? await (await cli.connect()).verifyStore({ signal: cli.signal })
    : ((await runOffline(cli, "verify")) as ResponseOf<"verifyStore">);
  if (cli.isJson) cli.terminal.printJson(found);
  else cli.terminal.print(...(found.ok ? [sound(found)] : found.problems.map((problem) => show`${painted("red", "!")} ${problem}`)));
  if (found.ok) return;
  cli.terminal.note(show`Backups are in ${cli.paths.backups}.`);
  throw new Ended(1);
}

function sound({ tasks, events }: ResponseOf<"verifyStore">): Shown {
  return show`${painted("green", "The database is sound")}: ${plural(tasks, "task")}, ${plural(events, "event")}.`;
}
