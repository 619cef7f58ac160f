import type { Cli } from "../cli.ts";
import { describeEvent } from "../../words/describe-event.ts";
import { EventSubjects } from "../event-subjects.ts";
import { dateTime } from "../../words/format.ts";
import { painted, show } from "../../words/shown.ts";

export interface EventsOptions {
  readonly follow?: boolean;
  readonly project?: string;
  readonly task?: string;
  /** A sequence. */
  readonly after?: number;
  readonly limit: number;
}

/** Events as they are committed, or stored ones: the newest, or those behind `after`. */
export async function events(cli: Cli, { follow, limit, after, ...about }: EventsOptions): Promise<void> {
  const client = await cli.connect();
  const { signal } = cli;
  const subjects = new EventSubjects(client, signal);
  if (follow) {
    for await (const event of client.streamEvents({ query: { ...about, after }, signal })) {
      if (cli.isJson) cli.terminal.printJson(event, "line");
      else cli.terminal.print(describeEvent(event, await subjects.of(event)));
    }
    return;
  }
  const which = after === undefined ? { last: true } : { after: String(after) };
  const page = await client.listEvents({ query: { ...about, limit, ...which }, signal });
  if (cli.isJson) return cli.terminal.printJson(page);
  for (const event of page.items) cli.terminal.print(describeEvent(event, await subjects.of(event)));
  if (page.next !== null) cli.terminal.note(show`There are more: --after ${page.next}, or a larger --limit`);
}

export interface PageOptions {
  readonly limit: number;
  readonly after?: string;
}

export async function audit(cli: Cli, query: PageOptions): Promise<void> {
  const page = await (await cli.connect()).listAudit({ query, signal: cli.signal });
  if (cli.isJson) return cli.terminal.printJson(page);
  if (page.items.length === 0) return cli.terminal.print(show`Nothing was done yet.`);
  const rows = page.items.map(({ at, actor, action, subject, detail }) => [
    painted("dim", dateTime(at)),
    show`${actor}`,
    painted("bold", action),
    show`${subject}`,
    show`${Object.keys(detail).length === 0 ? "" : JSON.stringify(detail)}`,
  ]);
  await cli.terminal.printTable(["WHEN", "WHO", "WHAT", "TO", "DETAIL"], rows);
}
