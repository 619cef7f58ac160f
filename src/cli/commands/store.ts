import { AppError } from "../../base/errors.ts";
import type { ResponseOf } from "../../contract/control.ts";
import type { Cli } from "../cli.ts";
import { runningDaemon, runOffline } from "../daemon-process.ts";
import { megabytes, plural } from "../format.ts";
import { painted, show } from "../shown.ts";

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
  else if (found.ok)
    cli.terminal.print(
      show`${painted("green", "The database is sound")}: ${plural(found.tasks, "task")}, ${plural(found.events, "event")}.`,
    );
  if (found.ok) return;
  if (!cli.isJson) cli.terminal.print(...found.problems.map((problem) => show`${painted("red", "!")} ${problem}`));
  throw new AppError(
    "internal",
    `The database has ${plural(found.problems.length, "problem")}. The last backup is in ${cli.paths.backups}.`,
  );
}
